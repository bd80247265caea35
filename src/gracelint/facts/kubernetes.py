"""What Kubernetes manifests say. Times are in seconds."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.facts import yaml
from gracelint.finding import Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Mapping as Map

    from gracelint.facts.launch import Assumptions, Launch
    from gracelint.facts.yaml import Misplaced
    from gracelint.source import Located, Source, Span, Word

DEFAULT_GRACE = 30.0
"""`terminationGracePeriodSeconds` where nobody sets it (Kubernetes API)."""


_SURGING = ("Deployment", "Rollout", "DeploymentConfig")
"""Kinds that start a new pod before they stop an old one, as long as nothing else is said (their references)."""
_DEFAULT_STEP = "25%"
"""Of a rolling update: tools that write a manifest out of a cluster write it too."""
_KEPT = ("persistentVolumeClaim", "hostPath", "nfs")
"""Volumes that outlive the pod."""


class Probe(Record):
    kind: str
    """httpGet, tcpSocket, grpc or exec; "" where none of them is set."""
    node: yaml.Mapping
    key: Span
    """The `readinessProbe:` key."""
    period: float = 10.0
    failure_threshold: int = 3
    initial_delay: float = 0.0
    port: int | None = None
    """The number of the port it asks, by whatever name."""
    grace: Located[float] | None = None
    """Its own `terminationGracePeriodSeconds`."""

    @property
    def patience(self) -> float:
        """Seconds of failure until the probe acts."""
        return self.period * self.failure_threshold

    @property
    def asks_readiness(self) -> bool:
        """Whether the words of its check say that it is meant for readiness: `/readyz`, `/health/ready`."""
        check = self.node.get(self.kind)
        return check is not None and any(word in check.span.text.lower() for word in ("ready", "readiness"))

    @property
    def sooner(self) -> Map[str, int] | None:
        """Timing with which a readiness probe takes the pod out of its Services before this one restarts it."""
        if self.failure_threshold > 1:
            period = {} if self.period == 10 else {"periodSeconds": int(self.period)}
            return {**period, "failureThreshold": self.failure_threshold - 1}
        half = int(self.period / 2)
        return {"periodSeconds": half, "failureThreshold": 1} if half >= 1 else None

    def checks_as(self, other: Probe) -> bool:
        """Whether both ask the container the same thing."""
        one, two = self.node.mapping(self.kind), other.node.mapping(other.kind)
        if self.kind != other.kind or one is None or two is None:
            return False
        return yaml.alike(one, two) or (self.port == other.port is not None and yaml.alike(one, two, but="port"))


class PreStop(Record):
    """A preStop hook. `handlers` are the keys set below it: exec, httpGet, sleep, tcpSocket."""

    handlers: tuple[str, ...]
    node: yaml.Mapping
    key: Span
    argv: tuple[Word, ...] = ()
    """The command of `exec`."""
    sleep: Located[float] | None = None
    """`sleep.seconds`."""


class Port(Record):
    number: int | None
    name: str | None
    span: Span
    protocol: str = "TCP"
    for_metrics: bool = False
    """Its name says that it is scraped, and no more."""


class Container(Record, identity=True):
    name: str
    node: yaml.Mapping
    span: Span
    """The name's value, or the first key: where a finding about the container as a whole points."""
    role: str = "main"
    """main, init, or sidecar (an init container with `restartPolicy: Always`)."""
    image: Word | None = None
    command: tuple[Word, ...] | None = None
    args: tuple[Word, ...] | None = None
    working_dir: Word | None = None
    env: Map[str, Word | None] | None = None
    """Literal values; None where the value comes from elsewhere (`valueFrom`)."""
    takes_variables: bool = False
    """It has an `envFrom`."""
    user: str | None = None
    """`runAsUser`, its own or its pod's."""
    stdin_open: bool = False
    """`tty` or `stdin`."""
    ports: tuple[Port, ...] = ()
    readiness: Probe | None = None
    liveness: Probe | None = None
    startup: Probe | None = None
    pre_stop: PreStop | None = None
    stop_signal: Word | None = None
    """`lifecycle.stopSignal`."""
    proxy: str | None = None
    """The row of the known proxies that it is."""
    proxy_waits: bool = False
    """Its flags make that proxy wait for the program, or it stands in front of it."""
    quits_proxy: bool = False
    """Its command or its hook tells a proxy to end."""
    reconnects: bool = False
    """A database or broker: its clients are used to lost connections, and open new ones by themselves."""
    filled_in: bool = False
    """A stand-in: the webhook of a mesh puts its proxy here, with probes and hooks of its own."""
    watches: bool = False
    """Its image is one for operators: a dashboard that is loaded again, or a collector whose senders try again."""
    takes_jobs: bool = False
    """It is named after what fetches its work by itself, such as a worker: nobody sends it requests."""
    web_server: bool = False
    """It is named after a web server such as nginx, and so is its image: one that listens as soon as it runs."""

    @property
    def datagrams(self) -> bool:
        """Whether all that it declares to be asked over is UDP."""
        return bool(self.ports) and all(port.protocol == "UDP" for port in self.ports)


class ServicePort(Record):
    target: str
    """`targetPort` (else `port`): a number, or a container port's name."""
    name: str = ""
    number: str = ""


class Service(Record, identity=True):
    name: str
    namespace: str
    selector: Map[str, str]
    ports: tuple[ServicePort, ...]
    span: Span
    request_ports: tuple[ServicePort, ...] = ()
    """Those for more than scrapes of metrics."""
    configs: tuple[str, ...] = ()
    """The BackendConfigs it names."""
    calls: bool = True
    """Whether requests come by it: not by a headless Service, whose clients hold the pods' own addresses."""


class DisruptionBudget(Record, identity=True):
    name: str
    namespace: str
    selector: Map[str, str]
    span: Span
    min_available: Word | None = None
    max_unavailable: Word | None = None
    expressions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """`matchExpressions`: key, operator, values."""


class Autoscaler(Record, identity=True):
    """A HorizontalPodAutoscaler, or KEDA's ScaledObject."""

    name: str
    namespace: str
    target: tuple[str, str]
    """Kind and name of what it scales."""
    minimum: int
    span: Span


class Balancer(Record, identity=True):
    """What brings requests from outside of the cluster: a load balancer, an open port, an Ingress, a route."""

    name: str
    namespace: str
    key: tuple[str, str]
    """What it belongs to: "service" and a Service's name, or "config" and the name that a Service refers to."""
    span: Span
    seconds: Located[float] | None = None
    """How long it leaves connections to a pod that it has let go, where it says so."""
    what: str = ""
    """The setting, in its own words."""


class Mesh(Record):
    """What a pod says of the proxy that a mesh puts into it."""

    name: str
    drain: Located[float] | None = None
    """Istio: how long it goes on after SIGTERM."""
    wait: Located[float] | None = None
    """Linkerd: how long it waits before it refuses requests."""


class ConfigMap(Record, identity=True):
    name: str
    namespace: str
    node: yaml.Mapping
    """The object: what it holds is long, and few ask for it."""
    span: Span


class Claim(Record, identity=True):
    """A PersistentVolumeClaim."""

    name: str
    namespace: str
    access_modes: tuple[str, ...]
    span: Span


class Workload(Record, identity=True):
    """An object with a pod template. What other files say of it is in the fields below `services`."""

    source: Source
    """The manifest."""
    kind: str
    """As written: Deployment, StatefulSet, Job …"""
    name: str
    """`metadata.name`."""
    namespace: str
    """`metadata.namespace`; empty where it has none."""
    span: Span
    """The value of `metadata.name`, or of `kind` where there is no name."""
    document: yaml.Document
    """The YAML document it is written in."""
    node: yaml.Mapping
    """The object."""
    pod: yaml.Mapping
    """The pod's `spec`."""
    labels: Map[str, str]
    """The pod template's labels."""
    annotations: Map[str, Word]
    """The object's annotations, overlaid with the pod template's."""
    containers: tuple[Container, ...]
    """Main containers, then init containers and sidecars, in file order."""
    grace: Located[float]
    """`terminationGracePeriodSeconds`, in seconds; NaN where it is given by something that cannot be read."""
    share_process_namespace: bool = False
    """`shareProcessNamespace`: PID 1 is the pause container then."""
    replicas: Located[int] | None = None
    """None where the object has no `replicas`."""
    strategy: yaml.Mapping | None = None
    """`spec.strategy` of a Deployment."""
    claim_names: tuple[str, ...] = ()
    """The PersistentVolumeClaims that its volumes name."""
    config_map_names: tuple[str, ...] = ()
    """The ConfigMaps that its volumes and variables name."""
    claims: tuple[Claim, ...] = ()
    """The claims its volumes name, where they are in the input."""
    runs_to_end: bool = False
    """Job, CronJob, a test hook of a chart and the like: no traffic."""
    knative: bool = False
    """A Knative Service, whose queue-proxy drains requests."""
    windows: bool = False
    """Its pods run on Windows, which has no signals."""
    agent: bool = False
    """It looks after its node: what it serves is scraped, or concerns that node alone."""
    operator: bool = False
    """One replica leads and the others wait: nothing is lost that a request would notice."""
    services: tuple[Service, ...] = ()
    """Those of its unit whose selector matches the pod's labels in its namespace."""
    any_service: bool = False
    """Whether its unit has any Service at all."""
    budgets: tuple[DisruptionBudget, ...] = ()
    """PodDisruptionBudgets of its unit that select its pods."""
    autoscaler: Autoscaler | None = None
    """The HorizontalPodAutoscaler that targets it."""
    balancers: tuple[Balancer, ...] = ()
    """What sends it requests from outside of the cluster."""
    mesh: Mesh | None = None
    """What its pod says of the proxy that a mesh puts into it."""
    config_maps: tuple[ConfigMap, ...] = ()
    """Those that its volumes and variables name, where they are in the input."""
    misplaced: tuple[tuple[Container, Misplaced], ...] = ()
    """Settings of the stop that nobody reads, and the container of each; the first one stands for what is around."""
    sample: bool = False
    """To be read, not to be run: it stands in a folder of samples, or clusters no longer serve its API version."""
    written: bool = False
    """A tool made it, or put its own containers in: it is mended in what it is made from."""
    probed_beside: bool = False
    """Something that is applied with it has a readinessProbe: whoever wrote that knows of them."""
    endpoints: int = 1
    """Pods behind the Service that sends requests to most of them, this workload's own and others'."""
    assume: Assumptions | None = None
    """What the settings say of the world it runs in."""
    launches: tuple[Launch, ...] = ()
    """One for each of `containers`, in the same order."""

    @property
    def severity(self) -> Severity | None:
        """INFO for what is there to be read, not to be run, and for what a tool wrote; None: that of the rule."""
        return Severity.INFO if self.sample or self.written else None

    def severity_of(self, container: Container, *, felt: bool) -> Severity | None:
        """The same of one of its containers; INFO also where nobody misses a request, or is known to feel it."""
        return self.severity if felt and not container.watches else Severity.INFO

    @property
    def callers(self) -> tuple[Service, ...]:
        """The Services that send it requests."""
        return tuple(service for service in self.services if service.calls)

    @property
    def pods(self) -> int:
        """How many there are at least: one where nothing says more (Kubernetes API)."""
        if self.kind == "DaemonSet":
            return 2
        least = self.autoscaler.minimum if self.autoscaler else 0
        return max(self.replicas.value if self.replicas else 1, least)

    @property
    def recreates(self) -> bool:
        """Whether a rollout ends all pods before it starts new ones."""
        kind = self.strategy.scalar("type") if self.strategy else None
        return kind is not None and kind.value == "Recreate"

    @property
    def has_stand_in(self) -> bool:
        """Whether another pod takes the requests while one is being stopped."""
        return self.endpoints >= 2 and not self.recreates

    @property
    def untold(self) -> bool:
        """Whether nothing that is applied with it says who sends it requests, or that nobody does."""
        alone = self.kind == "DaemonSet" or self.operator or self.runs_to_end or self.windows
        return not (alone or self.services or self.any_service)

    @property
    def overlaps(self) -> bool:
        """Whether a rollout sends requests to new pods that old ones could still answer."""
        return self.endpoints >= 2 or (self.kind in _SURGING and not self.recreates)

    @property
    def breaks_anyway(self) -> bool:
        """Whether a single pod keeps its data on a volume: a new version of it is a break whatever a probe says."""
        volumes = self.pod.mappings("volumes") if self.endpoints < 2 else ()
        return any(volume.mapping(kind) is not None for volume in volumes for kind in _KEPT)

    @property
    def cared_for(self) -> bool:
        """Whether somebody shows that requests are to be served while pods come and go.

        Several pods, a budget, a rolling update with numbers of its own, a preStop hook, another probe.
        """
        rolling = self.strategy.mapping("rollingUpdate") if self.strategy is not None else None
        steps = [rolling.scalar(name) for name in ("maxSurge", "maxUnavailable")] if rolling is not None else []
        written = any(step is not None and step.value != _DEFAULT_STEP for step in steps)
        probed = any(one.liveness or one.startup or one.readiness for one in self.containers)
        return self.endpoints >= 2 or bool(self.budgets or self.hooks) or written or probed or self.probed_beside

    @property
    def hooks(self) -> tuple[PreStop, ...]:
        """The preStop hooks of its containers."""
        return tuple(container.pre_stop for container in self.containers if container.pre_stop is not None)

    @property
    def longest_hook(self) -> tuple[Container, Located[float]] | None:
        """The preStop hook that takes longest, of those that are not a proxy's, and its seconds."""
        hooks = (
            (container, launch.budget.pre_stop)
            for container, launch in self.launched()
            if launch.budget.pre_stop is not None and launch.budget.pre_stop.value > 0 and container.proxy is None
        )
        return max(hooks, key=lambda hook: hook[1].value, default=None)

    def launched(self) -> Iterator[tuple[Container, Launch]]:
        """Each container with its launch."""
        return zip(self.containers, self.launches, strict=False)

    def serving(self) -> Iterator[tuple[Container, Launch]]:
        """The containers that get requests, as far as the input says."""
        return ((container, launch) for container, launch in self.launched() if launch.gets_traffic)


def claim_names(pod: yaml.Mapping) -> Iterator[str]:
    """The PersistentVolumeClaims that the volumes of a pod's `spec` name."""
    for volume in pod.mappings("volumes"):
        name = volume.scalar("persistentVolumeClaim", "claimName")
        if name is not None:
            yield name.value


def config_map_names(pod: yaml.Mapping, containers: Iterable[Container]) -> Iterator[str]:
    for volume in pod.mappings("volumes"):
        yield from _named(volume, "configMap")
    for container in containers:
        for item in container.node.mappings("envFrom"):
            yield from _named(item, "configMapRef")
        for item in container.node.mappings("env"):
            yield from _named(item, "valueFrom", "configMapKeyRef")


def _named(node: yaml.Mapping, *path: str) -> Iterator[str]:
    name = node.scalar(*path, "name")
    if name is not None:
        yield name.value
