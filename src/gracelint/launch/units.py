"""What is applied together: which Service, budget, autoscaler, claim or ConfigMap says something of which workload.

Together are: what stands in a file, in a folder, and what a kustomization pulls in. Across those, an object and a
workload meet only where each is the other's nearest match by folder. Both sides are found by a key in dictionaries,
never by comparing all with all.
"""

from __future__ import annotations

import posixpath

from gracelint.base.posix import normal
from gracelint.base.record import Record, replace
from gracelint.facts.yaml import Mapping, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from collections.abc import Mapping as Map
    from typing import Any

    from gracelint.facts.kubernetes import Autoscaler, Balancer, Claim, ConfigMap, DisruptionBudget, Service, Workload
    from gracelint.facts.yaml import Document
    from gracelint.parse.kubernetes import Manifests
    from gracelint.source import Source

    Related = Balancer | Service | DisruptionBudget | Autoscaler | Claim | ConfigMap

_STDIN = "-"
_MOST = 100
"""Objects of one kind that one place can hold for one key: more are copies."""
_MOST_PULLED = 200_000
"""Files and folders that all kustomizations of a project pull in together."""


def attach(manifests: Manifests) -> list[Workload]:
    """The workloads, each with what other objects of its unit say of it."""
    places = _Places(manifests.kustomizations)
    workloads = manifests.workloads
    selectors = _Selectors([*manifests.services, *manifests.budgets])
    keys = {id(workload): selectors.keys_of(workload.labels) for workload in workloads}

    def selected(workload: Workload) -> Iterable[Hashable]:
        return keys[id(workload)]

    services = _join(places, manifests.services, _selector_key, workloads, selected)
    by_labels = [budget for budget in manifests.budgets if budget.selector]
    by_rules = [budget for budget in manifests.budgets if not budget.selector and budget.expressions]
    budgets = _join(places, by_labels, _selector_key, workloads, selected)
    others = _join(places, by_rules, lambda _: "", workloads, lambda _: ("",))
    scalers = _join(places, manifests.autoscalers, lambda scaler: scaler.target, workloads, _target_keys)
    claims = _join(places, manifests.claims, lambda claim: claim.name, workloads, lambda one: one.claim_names)
    config_maps = _join(
        places, manifests.config_maps, lambda item: item.name, workloads, lambda one: one.config_map_names
    )
    shared = places.having(manifests.services)
    probed = places.naming(workload for workload in workloads if _is_probed(workload))
    pods: dict[int, dict[tuple[str, str, str], int]] = {}
    attached = []
    for workload in workloads:
        key = id(workload)
        found = replace(
            workload,
            services=tuple(services.get(key, ())),
            any_service=not shared.isdisjoint(places.of(workload.source)),
            probed_beside=any(
                len(named) > ((workload.kind, workload.name) in named)
                for named in (probed.get(place, ()) for place in places.of(workload.source))
            ),
            budgets=tuple(
                budget
                for budget in (*budgets.get(key, ()), *others.get(key, ()))
                if all(_holds(expression, workload.labels) for expression in budget.expressions)
            ),
            autoscaler=next(iter(scalers.get(key, ())), None),
            claims=tuple(claims.get(key, ())),
            config_maps=tuple(config_maps.get(key, ())),
        )
        attached.append(found)
        for service in () if found.runs_to_end else found.callers:
            # of variants with one name, only one is applied
            name = (found.kind, found.namespace, found.name)
            behind = pods.setdefault(id(service), {})
            behind[name] = max(behind.get(name, 0), found.pods)
    balancers = _join(places, manifests.balancers, lambda item: item.key, attached, _balancer_keys)
    return [
        replace(
            found,
            balancers=tuple(balancers.get(id(found), ())),
            endpoints=max((_count(pods, service) for service in found.callers), default=found.pods),
        )
        for found in attached
    ]


def _is_probed(workload: Workload) -> bool:
    return any(container.readiness is not None for container in workload.containers)


def _count(pods: Map[int, Map[tuple[str, str, str], int]], service: Service) -> int:
    return sum(pods.get(id(service), {}).values())


def _selector_key(item: Service | DisruptionBudget) -> Hashable:
    return tuple(sorted(item.selector.items()))


def _target_keys(workload: Workload) -> Iterator[Hashable]:
    yield workload.kind, workload.name


def _balancer_keys(workload: Workload) -> Iterator[Hashable]:
    for service in workload.services:
        yield "service", service.name
        yield from (("config", name) for name in service.configs)


def _holds(expression: tuple[str, str, tuple[str, ...]], labels: Map[str, str]) -> bool:
    key, operator, values = expression
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return (key in labels) == (operator == "Exists")


def _reaches_out(source: Source) -> bool:
    """Whether an object may belong to what stands in other folders."""
    return source.path != _STDIN and source.unit is None


# Places


class _Places:
    """Where files are applied from: `file x`, `folder x`, and the kustomizations that nothing else pulls in."""

    def __init__(self, kustomizations: Sequence[Document]) -> None:
        self._above = _roots_of(kustomizations)
        self._known: dict[Source, tuple[str, ...]] = {}

    def of(self, source: Source) -> tuple[str, ...]:
        """From near to far. What was rendered is applied with its release or overlay alone."""
        known = self._known.get(source)
        if known is None:
            known = self._known[source] = self._of(source)
        return known

    def _of(self, source: Source) -> tuple[str, ...]:
        path = source.path
        if source.unit is not None:
            return (f"{source.unit.kind} {source.unit.path} {source.unit.release} {source.unit.values}",)
        if path == _STDIN:
            return (f"file {path}",)
        folder = posixpath.dirname(path)
        return f"file {path}", f"folder {folder}", *(f"kustomization {root}" for root in self._above.get(path, ()))

    def having(self, items: Iterable[Related | Workload]) -> frozenset[str]:
        return frozenset(place for item in items for place in self.of(item.span.source))

    def naming(self, workloads: Iterable[Workload]) -> dict[str, set[tuple[str, str]]]:
        """The kinds and names of workloads by the places they are applied from: of one name, one alone is applied."""
        names: dict[str, set[tuple[str, str]]] = {}
        for workload in workloads:
            for place in self.of(workload.source):
                names.setdefault(place, set()).add((workload.kind, workload.name))
        return names


def _roots_of(kustomizations: Sequence[Document]) -> dict[str, list[str]]:
    """For each file, the kustomizations that reach it and that no other one pulls in."""
    below: dict[str, list[str]] = {}
    for document in kustomizations:
        folder = posixpath.dirname(document.source.path)
        if isinstance(document.root, Mapping):
            below.setdefault(folder, []).extend(_pulled(document.root, folder))
    inner = {path for folder, paths in below.items() for path in paths if path in below and path != folder}
    found: dict[str, list[str]] = {}
    left = _MOST_PULLED
    for root in sorted(below.keys() - inner):
        todo, seen = [root], {root}
        while todo and left:
            left -= 1
            path = todo.pop()
            if path not in below:
                found.setdefault(path, []).append(root)
                continue
            todo += [each for each in below[path] if each not in seen]
            seen.update(below[path])
    return found


def _pulled(root: Mapping, folder: str) -> Iterator[str]:
    for key in ("resources", "bases", "components"):
        for item in root.sequence(key):
            if isinstance(item, Scalar) and "://" not in item.value and "\n" not in item.value:
                path = normal(posixpath.join(folder, item.value))
                yield "" if path == "." else path


# Keys


class _Selectors:
    """Which labels selectors ask for, so that a pod's labels become the selectors that can match it."""

    def __init__(self, items: Iterable[Service | DisruptionBudget]) -> None:
        asked = {tuple(sorted(item.selector)) for item in items if item.selector}
        uses: dict[str, int] = {}
        for keys in asked:
            for key in keys:
                uses[key] = uses.get(key, 0) + 1
        self._by_rarest: dict[str, list[tuple[str, ...]]] = {}
        for keys in sorted(asked):
            self._by_rarest.setdefault(min(keys, key=lambda key: (uses[key], key)), []).append(keys)

    def keys_of(self, labels: Map[str, str]) -> tuple[Hashable, ...]:
        return tuple(
            tuple((key, labels[key]) for key in keys)
            for label in labels
            for keys in self._by_rarest.get(label, ())
            if all(key in labels for key in keys)
        )


# Joining


class _Shelf(Record, identity=True):
    """What one place holds for one key, by namespace; one object of each name."""

    items: dict[str, dict[str, Any]]

    def put(self, item: Related) -> None:
        names = self.items.setdefault(item.namespace, {})
        if len(names) < _MOST:
            names.setdefault(item.name, item)

    def of(self, namespace: str) -> Iterator[Any]:
        """Those that may be in a namespace: one that is not given is whatever the manifest is applied with."""
        wanted = (namespace, "") if namespace else tuple(self.items)
        found = [item for name in dict.fromkeys(wanted) for item in self.items.get(name, {}).values()]
        yield from found[:_MOST]


if TYPE_CHECKING:
    from typing import TypeVar

    R = TypeVar("R", bound=Related)


def _join(
    places: _Places,
    items: Sequence[R],
    key_of: Callable[[R], Hashable],
    workloads: Sequence[Workload],
    keys_of: Callable[[Workload], Iterable[Hashable]],
) -> dict[int, list[R]]:
    """The objects that concern each workload, by the workload's `id`."""
    if not items:
        return {}
    shelves: dict[tuple[str, Hashable], _Shelf] = {}
    for item in items:
        for place in places.of(item.span.source):
            shelves.setdefault((place, key_of(item)), _Shelf({})).put(item)
    found: dict[int, list[R]] = {}
    taken: set[tuple[int, str, str]] = set()
    """Objects that a workload of that kind and name has nearer by: its variants elsewhere do not share them."""
    asked = [(workload, tuple(keys_of(workload)), places.of(workload.source)) for workload in workloads]
    for level in range(max((len(near) for _, _, near in asked), default=0)):
        met: list[tuple[Workload, R]] = []
        for workload, keys, near in asked:
            if level >= len(near):
                continue
            mine = found.get(id(workload), [])
            names = {item.name for item in mine}
            for key in keys:
                shelf = shelves.get((near[level], key))
                for item in shelf.of(workload.namespace) if shelf else ():
                    if item.name not in names and (id(item), workload.kind, workload.name) not in taken:
                        met.append((workload, item))
                        names.add(item.name)
        for workload, item in met:
            found.setdefault(id(workload), []).append(item)
            taken.add((id(item), workload.kind, workload.name))
    _join_nearest(items, key_of, asked, found)
    return found


def _join_nearest(
    items: Sequence[R],
    key_of: Callable[[R], Hashable],
    asked: list[tuple[Workload, tuple[Hashable, ...], tuple[str, ...]]],
    found: dict[int, list[R]],
) -> None:
    """Objects and workloads that are alone so far, where each is the other's nearest match by folder."""
    matched = {id(item) for mine in found.values() for item in mine}
    lonely = [(item, (key_of(item),)) for item in items if id(item) not in matched and _reaches_out(item.span.source)]
    seekers = [
        (workload, keys)
        for workload, keys, _ in asked
        if keys and id(workload) not in found and _reaches_out(workload.source)
    ]
    if not lonely or not seekers:
        return
    wanted = {key for _, keys in seekers for key in keys} & {key for _, keys in lonely for key in keys}
    items_by_folder, workloads_by_folder = _Nearest(lonely, wanted), _Nearest(seekers, wanted)
    chosen = {(id(item), id(workload)) for item, keys in lonely for workload in workloads_by_folder.to(item, keys)}
    for workload, keys in seekers:
        for item in items_by_folder.to(workload, keys):
            if (id(item), id(workload)) in chosen:
                found.setdefault(id(workload), []).append(item)  # type: ignore[arg-type]


class _Nearest:
    """Things by every folder above them, to be found from another folder upwards."""

    def __init__(
        self, things: Iterable[tuple[Workload | Related, tuple[Hashable, ...]]], wanted: set[Hashable]
    ) -> None:
        self._below: dict[tuple[str, Hashable], dict[str, dict[str, list[object]]]] = {}
        for thing, keys in things:
            folder = posixpath.dirname(thing.span.source.path)
            for key in keys:
                for above in _upwards(folder) if key in wanted else ():
                    spaces = self._below.setdefault((above, key), {})
                    held = spaces.setdefault(thing.namespace, {})
                    if len(held) < 2 or folder in held:  # two are one too many already
                        held.setdefault(folder, []).append(thing)

    def to(self, seeker: Workload | Related, keys: tuple[Hashable, ...]) -> list[object]:
        """What stands below the nearest folder that has any; nothing where it stands in several folders."""
        for above in _upwards(posixpath.dirname(seeker.span.source.path)):
            found: dict[str, list[object]] = {}
            for key in keys:
                spaces = self._below.get((above, key), {})
                for name in (seeker.namespace, "") if seeker.namespace else tuple(spaces)[:_MOST]:
                    for folder, things in spaces.get(name, {}).items():
                        found.setdefault(folder, []).extend(things[:_MOST])
            if found:
                return next(iter(found.values())) if len(found) == 1 else []
        return []


def _upwards(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""
