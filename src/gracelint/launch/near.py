"""Which files bear on those that were asked for, told by keys that can be kept without the files.

A file *offers* keys (a Service: the labels it selects by) and *wants* others (a Deployment: the labels of its pods).
Whatever joins two objects in `launch.units` and `launch.desk` gives one file a key that the other has on the opposite
side; two files with such a key may still have nothing to do with each other. What two objects say to each other is
never told by keys: the files are read.
"""

from __future__ import annotations

from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.kubernetes import DisruptionBudget, Service, Workload
    from gracelint.launch.desk import Desk
    from gracelint.launch.images.names import Link
    from gracelint.parse.kubernetes import Manifests
    from gracelint.source import Source

OFFERS, WANTS, IMAGE, SERVES, COPIED = "!", "?", "i", "s", "c"
"""What keys begin with: an image that is run, that a file holds a Service, and what a Dockerfile copies are keys of
one side alone."""


class Near:
    """Whether something bears on the files that a run is about."""

    def __init__(self, paths: frozenset[str], *, compose: bool, silent: frozenset[str] = frozenset()) -> None:
        self._paths = paths
        self.silent = silent
        """Those of them in which no object stands: what has one in its image may read it."""
        self._rendered: dict[int, tuple[Source, bool]] = {}
        self.images: set[str] = set()
        """The Dockerfiles that something near is built from."""
        self.compose = compose
        """Whether there is a Compose file among them: services of one are made of several files."""

    def source(self, source: Source) -> bool:
        """A file that was asked for, or a rendered text of which any part stands in one."""
        if source.path in self._paths:
            return True
        if source.map is None:
            return False
        known = self._rendered.get(id(source))
        if known is None:
            parts = {part.path for part in source.map.sources}
            known = self._rendered[id(source)] = (source, self._rendered_with(source) or bool(parts & self._paths))
        return known[1]

    def _rendered_with(self, source: Source) -> bool:
        folder = source.unit.path if source.unit is not None else ""
        return any(path.startswith(f"{folder}/" if folder else "") for path in self._paths)

    def stage(self, stage: Stage | None) -> bool:
        return stage is not None and any(one.source.path in self._paths for one in stage.lineage())

    def image(self, found: Link | None, desk: Desk) -> bool:
        """A Dockerfile that was asked for, or is that of something near."""
        return found is not None and (found.dockerfile in self.images or self.stage(desk.stage(found)))

    def workload(self, workload: Workload) -> bool:
        """A workload, or what other objects say of it."""
        scaler = () if workload.autoscaler is None else (workload.autoscaler,)
        beside = (*workload.services, *workload.budgets, *workload.claims, *workload.config_maps, *workload.balancers)
        return self.source(workload.source) or any(self.source(item.span.source) for item in (*beside, *scaler))


class Aside(Record, identity=True):
    """Files that were not read, each with its keys."""

    keys: Mapping[str, tuple[str, ...]]

    def images(self) -> Iterator[tuple[str, str]]:
        """The images that containers there run, each with its file."""
        for path, keys in self.keys.items():
            for key in keys:
                if key[0] == IMAGE:
                    yield key[1:], path

    def joined_with(self, start: Iterable[str]) -> set[str]:
        """The files that keys lead to, and all that those lead to in turn."""
        by_key: dict[str, list[str]] = {}
        for path, keys in self.keys.items():
            for key in keys:
                if key[0] in (OFFERS, WANTS):
                    by_key.setdefault(key, []).append(path)
        todo, seen, found = list(start), set[str](), set[str]()
        while todo:
            key = todo.pop()
            if key in seen or key[:1] not in (OFFERS, WANTS):
                continue
            seen.add(key)
            for path in by_key.get((WANTS if key[0] == OFFERS else OFFERS) + key[1:], ()):
                if path not in found:
                    found.add(path)
                    todo += self.keys[path]
        return found

    def with_services(self, folders: Iterable[str]) -> set[str]:
        """One file with a Service in each of the folders where there is any."""
        wanted = set(folders)
        found: dict[str, str] = {}
        for path, keys in self.keys.items():
            if SERVES in keys and (folder := path.rpartition("/")[0]) in wanted:
                found.setdefault(folder, path)
        return set(found.values())


def keys_of(manifests: Manifests) -> dict[str, list[str]]:
    """The keys of each file that holds objects which are joined with others."""
    found: dict[str, list[str]] = {}

    def put(source: Source, keys: Iterable[str]) -> None:
        found.setdefault(source.path, []).extend(keys)

    for workload in manifests.workloads:
        put(workload.source, _of_workload(workload))
    for service in manifests.services:
        put(service.span.source, (SERVES, *_of_selector(service), *_of_service(service)))
    for budget in manifests.budgets:
        put(budget.span.source, _of_selector(budget))
    for scaler in manifests.autoscalers:
        put(scaler.span.source, (f"{OFFERS}target {scaler.target[0]} {scaler.target[1]}",))
    for claim in manifests.claims:
        put(claim.span.source, (f"{OFFERS}claim {claim.name}",))
    for config_map in manifests.config_maps:
        put(config_map.span.source, (f"{OFFERS}config map {config_map.name}",))
    for balancer in manifests.balancers:
        put(balancer.span.source, (f"{OFFERS}balancer {balancer.key[0]} {balancer.key[1]}",))
    return found


def told_by_none(manifests: Manifests) -> set[str]:
    """The files that keys do not tell enough of: they say which files are patches, or select by more than labels."""
    found = set(manifests.patches) | {document.source.path for document in manifests.kustomizations}
    by_rules = (budget for budget in manifests.budgets if budget.expressions and not budget.selector)
    return found | {budget.span.source.path for budget in by_rules}


def _of_workload(workload: Workload) -> Iterator[str]:
    yield from (f"{IMAGE}{container.image.value}" for container in workload.containers if container.image is not None)
    yield from (f"{WANTS}label {key}={value}" for key, value in workload.labels.items())
    yield f"{WANTS}target {workload.kind} {workload.name}"
    yield from (f"{WANTS}claim {name}" for name in workload.claim_names)
    yield from (f"{WANTS}config map {name}" for name in workload.config_map_names)


def _of_selector(item: Service | DisruptionBudget) -> Iterator[str]:
    """One of the labels that it asks for, all of which a pod must have: the one that says most, by its length."""
    if item.selector:
        key, value = max(item.selector.items(), key=lambda pair: (len(pair[1]), pair))
        yield f"{OFFERS}label {key}={value}"


def _of_service(service: Service) -> Iterator[str]:
    yield f"{WANTS}balancer service {service.name}"
    yield from (f"{WANTS}balancer config {name}" for name in service.configs)
