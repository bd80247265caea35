"""Kubernetes objects as workloads, and what other objects say of them."""

from __future__ import annotations

import posixpath

from gracelint.base.limits import EXPANDED
from gracelint.base.numbers import is_digits
from gracelint.base.patterns import pattern
from gracelint.base.record import Record
from gracelint.base.secrets import veiled_value
from gracelint.facts.kubernetes import (
    DEFAULT_GRACE,
    Autoscaler,
    Balancer,
    Claim,
    ConfigMap,
    Container,
    DisruptionBudget,
    Port,
    PreStop,
    Probe,
    Service,
    ServicePort,
    Workload,
    claim_names,
    config_map_names,
)
from gracelint.facts.yaml import Document, Mapping, Scalar, Sequence
from gracelint.knowledge import table
from gracelint.parse.balancers import balancers_of, configs_of
from gracelint.parse.mesh import mesh_of
from gracelint.parse.misplaced import in_pod
from gracelint.parse.purposes import (
    is_below,
    is_given_web_config,
    is_out_of_date,
    is_sample,
    is_store,
    is_watcher,
    is_web_server,
    is_written_by_tool,
    last_part,
    leads,
    listens_as_store,
    says_metrics,
    takes_jobs,
    words_of,
)
from gracelint.parse.scalars import passage_of, rewrite
from gracelint.parse.yaml import KUSTOMIZATIONS, NO_KINDS
from gracelint.source import Located, Span, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Mapping as Map
    from typing import Any

    from gracelint.facts.yaml import Node

NAN = float("nan")


class Manifests(Record):
    """All Kubernetes objects of the input that bear on stopping."""

    workloads: tuple[Workload, ...]
    services: tuple[Service, ...] = ()
    budgets: tuple[DisruptionBudget, ...] = ()
    claims: tuple[Claim, ...] = ()

    autoscalers: tuple[Autoscaler, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    balancers: tuple[Balancer, ...] = ()
    kustomizations: tuple[Document, ...] = ()
    patches: frozenset[str] = frozenset()
    """Files that hold parts of objects, as kustomizations say."""


class Objects(Record):
    """The objects of one document, those that are looked up by others with their kinds."""

    workloads: tuple[Workload, ...]
    others: tuple[tuple[str, Any], ...] = ()
    balancers: tuple[Balancer, ...] = ()


def objects_of(document: Document, kinds: Map[str, Map[str, Any]] = NO_KINDS) -> Objects:
    """What a document says by itself; `kinds` are the user's own rows of `knowledge/workloads.toml`."""
    workloads: list[Workload] = []
    others: list[tuple[str, Any]] = []
    balancers: list[Balancer] = []
    for node in _objects(document.root):
        kind = _text(node, "kind")
        group = _text(node, "apiVersion").rpartition("/")[0]
        if kind in _BALANCING or kind in table("workloads")["routes"]["kinds"]:
            balancers += balancers_of(node, kind, *_identity(node), _name_span(node))
        if kind in _RELATED and not (kind == "Service" and group):
            others.append((kind, _RELATED[kind](node)))
        else:
            for row in _rows(kind, group, kinds):
                workloads += _workloads(document, node, kind, row)
    return Objects(tuple(workloads), tuple(others), tuple(balancers))


def read_manifests(
    documents: Iterable[Document],
    kinds: Map[str, Map[str, Any]] = NO_KINDS,
    objects: Callable[[Document, Map[str, Map[str, Any]]], Objects] = objects_of,
) -> Manifests:
    """What the documents say together; `objects` is how it is known what each holds."""
    documents = list(documents)
    patches = _patches(documents)
    found = [objects(document, kinds) for document in documents if document.source.path not in patches]
    others: dict[str, list[Any]] = {kind: [] for kind in _RELATED}
    for kind, item in (pair for one in found for pair in one.others):
        others[kind].append(item)
    return Manifests(
        tuple(workload for one in found for workload in one.workloads),
        services=tuple(others["Service"]),
        budgets=tuple(others["PodDisruptionBudget"]),
        claims=tuple(others["PersistentVolumeClaim"]),
        autoscalers=(*others["HorizontalPodAutoscaler"], *others["ScaledObject"]),
        config_maps=tuple(others["ConfigMap"]),
        balancers=tuple(balancer for one in found for balancer in one.balancers),
        kustomizations=tuple(document for document in documents if _is_kustomization(document)),
        patches=patches,
    )


def _is_kustomization(document: Document) -> bool:
    return document.source.path.rpartition("/")[2] in KUSTOMIZATIONS


# Objects


def _objects(root: Node) -> Iterator[Mapping]:
    """The object of a document, or those in its `kind: List`, each once however many aliases lead to it."""
    left: list[Node] = [root]
    seen: set[int] = set()
    while left:
        node = left.pop()
        if not isinstance(node, Mapping) or id(node) in seen:
            continue
        seen.add(id(node))
        if _text(node, "kind").endswith("List") and isinstance(node.get("items"), Sequence):
            left += reversed(node.sequence("items"))
        else:
            yield node


def _patches(documents: Iterable[Document]) -> frozenset[str]:
    """Files that a kustomization lists as patches: parts of objects, not objects."""
    found: set[str] = set()
    for document in documents:
        folder = posixpath.dirname(document.source.path)
        if not _is_kustomization(document) or not isinstance(document.root, Mapping):
            continue
        patches = [patch for key in ("patches", "patchesJson6902") for patch in document.root.mappings(key)]
        for path in (*document.root.sequence("patchesStrategicMerge"), *(patch.get("path") for patch in patches)):
            if isinstance(path, Scalar) and "\n" not in path.value:
                found.add(posixpath.normpath(posixpath.join(folder, path.value)))
    return frozenset(found)


def _rows(kind: str, group: str, kinds: Map[str, Map[str, Any]]) -> Iterator[Map[str, Any]]:
    if kind in kinds:
        yield kinds[kind]
        return
    for row in table("workloads")["workload"]:
        if row["kind"] == kind and row.get("group", group) == group:
            yield row
            return


def _workloads(document: Document, node: Mapping, kind: str, row: Map[str, Any]) -> Iterator[Workload]:
    for path in row.get("templates", ()):
        for template in _at(node, path):
            pod = template.mapping("spec")
            if pod is not None:
                yield from _workload(document, node, kind, row, template, pod)
    for path in row.get("specs", ()):
        for pod in _at(node, path):
            yield from _workload(document, node, kind, row, pod, pod)


def _at(node: Mapping, path: str) -> Iterator[Mapping]:
    """The mappings at a path such as `spec.tasks[].template`."""
    step, _, rest = path.partition(".")
    if not step:
        yield node
    elif step.endswith("[]"):
        for item in node.mappings(step[:-2]):
            yield from _at(item, rest)
    else:
        below = node.get(step)
        if isinstance(below, Mapping):
            yield from _at(below, rest)


def _workload(
    document: Document, node: Mapping, kind: str, row: Map[str, Any], template: Mapping, pod: Mapping
) -> Iterator[Workload]:
    containers = tuple(_containers(pod, row))
    mains = [container for container in containers if container.role == "main"]
    if not mains or any(container.image is None for container in mains):
        return  # a patch: the rest stands in the file it is laid over
    name = node.scalar("metadata", "name") or node.scalar("metadata", "generateName")
    at = _shown_span(node.mapping("metadata"), name)
    grace = _grace(pod)
    annotations = _words(node.mapping("metadata", "annotations")) | _words(template.mapping("metadata", "annotations"))
    yield Workload(
        source=document.source,
        kind=kind,
        name=name.value if name else "",
        namespace=_text(node, "metadata", "namespace"),
        span=at or (key.span if (key := node.key("kind")) else node.span),
        document=document,
        node=node,
        pod=pod,
        labels=_labels(template.mapping("metadata", "labels")),
        claim_names=tuple(claim_names(pod)),
        config_map_names=tuple(config_map_names(pod, containers)),
        annotations=annotations,
        containers=containers,
        grace=grace,
        misplaced=tuple(in_pod(document, node, pod, containers, grace)),
        share_process_namespace=_text(pod, "shareProcessNamespace").lower() == "true",
        replicas=_replicas(node),
        strategy=node.mapping("spec", "strategy"),
        runs_to_end=bool(row.get("runs-to-end", False))
        or _text(pod, "restartPolicy") in ("Never", "OnFailure")
        or not annotations.keys().isdisjoint(table("workloads")["hooks"]["annotations"]),
        knative=bool(row.get("knative", False)),
        windows=_is_windows(pod),
        agent=_watches_node(kind, pod, mains),
        operator=any(map(leads, mains)),
        mesh=mesh_of(annotations),
        sample=is_sample(document.source) or is_out_of_date(_text(node, "apiVersion")),
        written=is_written_by_tool(annotations),
    )


def _is_windows(pod: Mapping) -> bool:
    nodes = pod.mapping("nodeSelector")
    asked = [_text(nodes, label) for label in ("kubernetes.io/os", "beta.kubernetes.io/os")] if nodes else []
    return "windows" in (_text(pod, "os", "name"), *asked)


def _watches_node(kind: str, pod: Mapping, mains: Iterable[Container]) -> bool:
    """Whether pods see to their nodes: what they mount of those says so, or what those of a DaemonSet are asked."""
    mounted = (volume.scalar("hostPath", "path") for volume in pod.mappings("volumes"))
    paths = [path.value.rstrip("/") or "/" for path in mounted if path is not None]
    roots = table("workloads")["agents"]["paths"]
    of_node = sum(any(is_below(path, root) for root in roots) for path in paths)
    if _text(pod, "hostPID").lower() == "true" or of_node >= (1 if kind == "DaemonSet" else 2):
        return True
    if kind != "DaemonSet":
        return False
    probes = (probe for one in mains for probe in (one.readiness, one.liveness) if probe is not None)
    return any(_text(probe.node, "httpGet", "path") == "/metrics" for probe in probes)


def _grace(pod: Mapping) -> Located[float]:
    scalar = pod.scalar("terminationGracePeriodSeconds")
    if scalar is None:
        unread = pod.get("terminationGracePeriodSeconds")
        return Located(DEFAULT_GRACE) if unread is None or isinstance(unread, Scalar) else Located(NAN, unread.span)
    return Located(_number(scalar), scalar.span)


def _replicas(node: Mapping) -> Located[int] | None:
    scalar = node.scalar("spec", "replicas")
    if scalar is None or not is_digits(scalar.value):
        return None
    return Located(int(scalar.value[:9]), scalar.span)


# Containers


def _containers(pod: Mapping, row: Map[str, Any]) -> Iterator[Container]:
    only = pod.mapping(row["container"]) if "container" in row else None
    for node in (only,) if only else pod.mappings("containers"):
        yield _container(node, "main", pod)
    for node in pod.mappings("initContainers"):
        yield _container(node, "sidecar" if _text(node, "restartPolicy") == "Always" else "init", pod)


def _container(node: Mapping, role: str, pod: Mapping) -> Container:
    name = node.scalar("name")
    image = node.scalar("image")
    env = _env(node)
    ports = tuple(_ports(node))
    proxy = _proxy(name.value if name else "", image.value if image else "")
    return Container(
        name=name.value if name else "",
        node=node,
        span=_shown_span(node, name) or (node.items[0][0].span if node.items else node.span),
        role=role,
        image=Word(image.value, image.span) if image else None,
        command=_argv(node.get("command"), env),
        args=_argv(node.get("args"), env),
        working_dir=_word(node.scalar("workingDir")),
        env=env,
        takes_variables=node.get("envFrom") is not None,
        user=_text(node, "securityContext", "runAsUser") or _text(pod, "securityContext", "runAsUser") or None,
        stdin_open=any(_text(node, key).lower() == "true" for key in ("tty", "stdin")),
        ports=ports,
        readiness=_probe(node, "readinessProbe", ports),
        liveness=_probe(node, "livenessProbe", ports),
        startup=_probe(node, "startupProbe", ports),
        pre_stop=_pre_stop(node.mapping("lifecycle")),
        stop_signal=_word(node.scalar("lifecycle", "stopSignal")),
        proxy=str(proxy["name"]) if proxy is not None else None,
        proxy_waits=proxy is not None and _outlasts(proxy, node),
        quits_proxy=_quits(node.mapping("lifecycle", "preStop") if role == "sidecar" else node),
        reconnects=(image is not None and is_store(image.value)) or listens_as_store(ports),
        filled_in=image is not None and image.value in table("workloads")["tools"]["images"],
        watches=image is not None and is_watcher(image.value),
        takes_jobs=name is not None and takes_jobs(name.value),
        web_server=name is not None
        and image is not None
        and (is_web_server(name.value, image.value) or is_given_web_config(node)),
    )


def _outlasts(proxy: Map[str, Any], node: Mapping) -> bool:
    return bool(proxy.get("in-front")) or any(flag in node.span.text for flag in proxy["waits"])


def _proxy(name: str, image: str) -> Map[str, Any] | None:
    last = last_part(image)
    return next((row for row in table("workloads")["proxy"] if name in row["names"] or last in row["images"]), None)


def _quits(node: Mapping | None) -> bool:
    return node is not None and any(path in node.span.text for path in table("workloads")["quits"]["paths"])


def _ports(node: Mapping) -> Iterator[Port]:
    for port in node.mappings("ports"):
        number = port.scalar("containerPort")
        value = _number(number) if number else NAN
        yield Port(
            number=int(value) if value == value and value.is_integer() else None,
            name=_text(port, "name") or None,
            span=number.span if number else port.span,
            protocol=_text(port, "protocol") or "TCP",
            for_metrics=says_metrics(_text(port, "name")),
        )


_PROBE_KINDS = ("httpGet", "tcpSocket", "grpc", "exec")


def _probe(container: Mapping, name: str, ports: tuple[Port, ...]) -> Probe | None:
    node, key = container.mapping(name), container.key(name)
    if node is None or key is None:
        return None
    kind = next((kind for kind in _PROBE_KINDS if node.mapping(kind) is not None), "")
    return Probe(
        kind=kind,
        node=node,
        key=key.span,
        period=_setting(node, "periodSeconds", 10),
        failure_threshold=int(_setting(node, "failureThreshold", 3)),
        initial_delay=_setting(node, "initialDelaySeconds", 0),
        port=_port_number(node.scalar(kind, "port"), ports),
        grace=_located(node.scalar("terminationGracePeriodSeconds")),
    )


def _port_number(scalar: Scalar | None, ports: tuple[Port, ...]) -> int | None:
    if scalar is None:
        return None
    number = _number(scalar)
    if number == number and number.is_integer():
        return int(number)
    return next((port.number for port in ports if port.name == scalar.value), None)


def _located(scalar: Scalar | None) -> Located[float] | None:
    return Located(_number(scalar), scalar.span) if scalar is not None else None


def _setting(node: Mapping, key: str, default: float) -> float:
    """A probe's number; where it is missing, zero or unreadable, the API's default holds."""
    scalar = node.scalar(key)
    value = _number(scalar) if scalar else NAN
    return value if value > 0 and value != float("inf") else default


_HANDLERS = ("exec", "httpGet", "sleep", "tcpSocket")


def _pre_stop(lifecycle: Mapping | None) -> PreStop | None:
    node, key = (lifecycle.mapping("preStop"), lifecycle.key("preStop")) if lifecycle else (None, None)
    if node is None or key is None:
        return None
    command = node.mapping("exec")
    # Variables in a hook's command are not expanded (only in `command` and `args` are they).
    argv = (_argv(command.get("command")) if command else None) or ()
    seconds = node.scalar("sleep", "seconds")
    return PreStop(
        handlers=tuple(name for name in _HANDLERS if isinstance(node.get(name), Mapping)),
        node=node,
        key=key.span,
        argv=argv,
        sleep=Located(_number(seconds), seconds.span) if seconds else None,
    )


def _env(container: Mapping) -> dict[str, Word | None]:
    env: dict[str, Word | None] = {}
    for entry in container.mappings("env"):
        name = entry.scalar("name")
        if name is not None:
            value = entry.get("value")
            env[name.value] = _expanded(value, env) if isinstance(value, Scalar) else _unset(entry, name)
    return env


def _unset(entry: Mapping, name: Scalar) -> Word | None:
    """A variable with a name alone is empty."""
    return None if entry.get("valueFrom") or entry.get("value") else Word("", name.span)


def _argv(node: Node | None, env: Map[str, Word | None] | None = None) -> tuple[Word, ...] | None:
    """The words of a list; an empty list counts as none (Kubernetes API)."""
    if not isinstance(node, Sequence) or not node.items:
        return None
    return tuple(_expanded(item, env) if isinstance(item, Scalar) else Word("", item.span) for item in node.items)


def _expanded(scalar: Scalar, env: Map[str, Word | None] | None) -> Word:
    """A word with `$(NAME)` put in where the container's own env has a literal, and `$$` as `$`."""
    passage = passage_of(scalar)
    if passage is None or env is None or "$" not in scalar.value:
        return Word(scalar.value, scalar.span, passage)
    parts: list[tuple[int, int, str | None]] = []
    offset = length = 0
    for start, end, name in _references(scalar.value):
        known = env.get(name) if name is not None else None
        text = "$" if name is None else veiled_value(name, known.value) if known else None
        length += len(text or "")
        parts += [(offset, start, None), (start, end, text if length <= EXPANDED else None)]
        offset = end
    parts.append((offset, len(scalar.value), None))
    expanded = rewrite(passage, parts)
    return Word(expanded.text, scalar.span, expanded)


def _references(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Where `$$` (no name) and `$(NAME)` begin and end."""
    start, closing = text.find("$"), -1
    while start >= 0:
        end = start + 1
        if text.startswith("$", end):
            end += 1
            yield start, end, None
        elif text.startswith("(", end):
            if closing < end:
                closing = text.find(")", end)
                closing = len(text) if closing < 0 else closing
            if closing < len(text):
                yield start, closing + 1, text[end + 1 : closing]
                end = closing + 1
        start = text.find("$", end)


# Other objects


def _service(node: Mapping) -> Service:
    spec = node.mapping("spec")
    ports = tuple(
        ServicePort(target.value, _text(port, "name"), _text(port, "port"))
        for port in (spec.mappings("ports") if spec else ())
        if (target := port.scalar("targetPort") or port.scalar("port"))
    )
    asked = tuple(_for_requests(node, ports))
    headless = _text(node, "spec", "clusterIP") == "None"
    return Service(
        *_identity(node),
        selector=_labels(node.mapping("spec", "selector")),
        ports=ports,
        span=_name_span(node),
        request_ports=asked,
        configs=configs_of(node),
        calls=not headless and bool(asked or not ports),
    )


def _for_requests(node: Mapping, ports: Iterable[ServicePort]) -> Iterator[ServicePort]:
    words = [word for word in words_of(_text(node, "metadata", "name")) if word not in ("service", "svc")]
    if words[-1:] == [] or words[-1] not in table("workloads")["metrics"]["services"]:
        yield from (port for port in ports if not (says_metrics(port.name) or says_metrics(port.target)))


def _budget(node: Mapping) -> DisruptionBudget:
    return DisruptionBudget(
        *_identity(node),
        _labels(node.mapping("spec", "selector", "matchLabels")),
        _name_span(node),
        min_available=_word(node.scalar("spec", "minAvailable")),
        max_unavailable=_word(node.scalar("spec", "maxUnavailable")),
        expressions=tuple(_expressions(node.mapping("spec", "selector"))),
    )


def _expressions(selector: Mapping | None) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for item in selector.mappings("matchExpressions") if selector else ():
        values = tuple(value.value for value in item.sequence("values") if isinstance(value, Scalar))
        yield _text(item, "key"), _text(item, "operator"), values


def _claim(node: Mapping) -> Claim:
    spec = node.mapping("spec")
    modes = tuple(mode.value for mode in (spec.sequence("accessModes") if spec else ()) if isinstance(mode, Scalar))
    return Claim(*_identity(node), modes, _name_span(node))


def _autoscaler(node: Mapping) -> Autoscaler:
    """Without a minimum it is one pod for a HorizontalPodAutoscaler, and none for a ScaledObject (their references)."""
    own = _text(node, "kind") == "HorizontalPodAutoscaler"
    least = node.scalar("spec", "minReplicas" if own else "minReplicaCount")
    minimum = int(least.value[:9]) if least is not None and _COUNT.fullmatch(least.value) else int(own)
    kind = _text(node, "spec", "scaleTargetRef", "kind") or "Deployment"
    target = kind, _text(node, "spec", "scaleTargetRef", "name")
    return Autoscaler(*_identity(node), target, minimum, _name_span(node))


def _config_map(node: Mapping) -> ConfigMap:
    return ConfigMap(*_identity(node), node, _name_span(node))


_COUNT = pattern("[0-9]{1,9}")


def _identity(node: Mapping) -> tuple[str, str]:
    return _text(node, "metadata", "name"), _text(node, "metadata", "namespace")


def _name_span(node: Mapping) -> Span:
    at = _shown_span(node.mapping("metadata"), node.scalar("metadata", "name"))
    return at or (key.span if (key := node.key("kind")) else node.span)


def _shown_span(parent: Mapping | None, name: Scalar | None) -> Span | None:
    """Where a name is shown. One that a chart's helper makes stands in another file: its key is what people know."""
    if name is None or parent is None or name.span.source.map is None:
        return name.span if name is not None else None
    key = next((key for key, value in parent.items if value is name), None)
    strange = key is not None and key.span.place.source.path != name.span.place.source.path
    return key.span if key is not None and strange else name.span


_RELATED: Map[str, Any] = {
    "Service": _service,
    "PodDisruptionBudget": _budget,
    "PersistentVolumeClaim": _claim,
    "HorizontalPodAutoscaler": _autoscaler,
    "ScaledObject": _autoscaler,
    "ConfigMap": _config_map,
}
"""How the objects are read that say something of workloads."""
_BALANCING = ("Service", "BackendConfig")


# Scalars


def _text(node: Mapping, *path: str) -> str:
    scalar = node.scalar(*path)
    return scalar.value if scalar else ""


def _word(scalar: Scalar | None) -> Word | None:
    return Word(scalar.value, scalar.span) if scalar else None


def _words(node: Mapping | None) -> dict[str, Word]:
    items = node.items if node else ()
    return {key.value: Word(value.value, value.span) for key, value in items if isinstance(value, Scalar)}


def _labels(node: Mapping | None) -> dict[str, str]:
    return {key.value: value.value for key, value in (node.items if node else ()) if type(value) is Scalar}


_NUMBER = pattern(r"[-+]?[0-9]{1,15}(?:\.[0-9]{1,15})?")


def _number(scalar: Scalar) -> float:
    """A number, quoted or not; NaN for anything else, such as a variable."""
    text = scalar.value.strip()
    return float(text) if _NUMBER.fullmatch(text) else NAN
