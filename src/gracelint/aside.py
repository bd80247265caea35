"""What a reading may leave unread: files that the index knows, and that bear on nothing that is reported."""

from __future__ import annotations

from gracelint.reading import installs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gracelint.facts.yaml import Document
    from gracelint.launch.link import Linked
    from gracelint.launch.near import Near
    from gracelint.parse.kubernetes import Manifests
    from gracelint.parse.later import Later
    from gracelint.reading import Reading
    from gracelint.tree.index import Index


def near(reading: Reading) -> Near | None:
    """What bears on the files that were asked for; None where that may be anything."""
    if reading.scope.folders:
        return None
    from gracelint.launch.near import Near

    documents = {document.source.path for document in reading.documents}
    speaking = {*documents, *(part.source.path for _, part in reading.later), *reading.compose, *reading.stages}
    maps = [source.map for source in reading.rendered if source.map is not None]
    speaking |= reading.objects | {source.path for places in maps for source in places.sources}
    silent = reading.scope.files - speaking
    if not silent <= reading.manifests:
        return None
    return Near(reading.scope.files, compose=not reading.scope.files.isdisjoint(reading.compose), silent=silent)


def needed(reading: Reading, known: dict[str, tuple[str, ...]]) -> set[str]:
    """The known files that bear on what is reported, or on what does."""
    from gracelint.launch.near import IMAGE, Aside, keys_of
    from gracelint.parse.kubernetes import read_manifests

    bears = near(reading)
    if bears is None or reading.errors or any(map(installs, reading.documents)):
        return set(known)
    manifests = read_manifests(reading.documents, reading.kinds, reading.objects_of)
    if any(budget.expressions and not budget.selector for budget in manifests.budgets):
        return set(known)
    keys = known | {path: tuple(its) for path, its in keys_of(manifests).items()}
    asked = {path for path in reading.scope.files if path in keys}
    if not (asked or bears.silent or reading.services or any(reading.stages.values())):
        return set()
    desk = reading.the_desk()
    desk.count_users(reading.services, manifests.workloads, Aside(known).images())
    if desk.may_start_with(bears.silent, reading.services):
        return set(known)
    named = [(key[1:], path) for path in asked for key in keys[path] if key.startswith(IMAGE)]
    links = [desk.find(reference, path) for reference, path in named]
    links += [desk.of_service(service) for service in reading.services if bears.compose]
    bears.images |= {link.dockerfile for link in links if link is not None}
    asked.update(path for path in desk.running(bears) if path in keys)
    aside = Aside(keys)
    found = asked | aside.joined_with(key for path in asked for key in keys[path])
    found |= aside.with_services({path.rpartition("/")[0] for path in found})
    return found & known.keys()


def leads_on(reading: Reading, linked: Linked) -> bool:
    """Whether launches lead to files that others may lead to: programs, scripts, what several mount."""
    if linked.programs:
        return True
    places = {
        hop.span.source.path
        for launch in linked.launches
        for hop in launch.hops
        if hop.span is not None and hop.span.source.path != launch.origin.source.path
    }
    return not all(path in reading.stages or path in reading.compose or _is_alone(reading, path) for path in places)


def _is_alone(reading: Reading, path: str) -> bool:
    """Whether a file is of a chart of which nothing is made that is not read."""
    folder = next((folder for folder in reading.alone if path.startswith(folder)), None)
    return folder is not None and not path.startswith(f"{folder}charts/")


def learn(reading: Reading, index: Index, manifests: Manifests | None, later: Iterable[Later]) -> None:
    """Keeps the keys of the files of which keys say all that other files have to do with."""
    from gracelint.launch.images.bases import is_known
    from gracelint.launch.images.layers import sources_of
    from gracelint.launch.near import COPIED, keys_of, told_by_none

    for path, stages in reading.stages.items():
        if stages and all(one.parent or "$" in one.base.value or is_known(one.base.value) for one in stages):
            index.learn(path, (f"{COPIED}{source}" for source in sources_of(stages[-1])))
    keys: dict[str, list[str]] = {}
    untold = {problem.finding.at.source.path for problem in reading.problems} | reading.compose.keys()
    for document in reading.documents:
        keys.setdefault(document.source.path, [])
        if document.source.map is not None or installs(document):
            untold.add(document.source.path)
    later = [part for part in later if not index.knows(part.source.path)]
    if not later and all(map(index.knows, keys)):
        index.save()
        return
    for part in later:
        names = part.names()
        keys.setdefault(part.source.path, []).extend(f"!config map {name}" for name in names or ())
        if names is None:
            untold.add(part.source.path)
    if manifests is not None:
        untold |= told_by_none(manifests)
        for path, its in keys_of(manifests).items():
            keys.setdefault(path, []).extend(its)
    for path, its in keys.items():
        if path not in untold and path not in reading.request.overlay:
            index.learn(path, its)
    index.save()


def sort(reading: Reading) -> None:
    """Puts documents in the order of their files, as they would stand if all had been read in one go."""
    from gracelint.parse.later import Later

    together: list[Document | Later] = list(reading.documents)
    for before, later in reversed(reading.later):
        together.insert(before, later)
    together.sort(key=lambda item: item.source.path)
    reading.documents, reading.later = [], []
    for item in together:
        if isinstance(item, Later):
            reading.later.append((len(reading.documents), item))
        else:
            reading.documents.append(item)
