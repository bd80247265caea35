"""What a ConfigMap of the same input, or the `configs` of a Compose file, put into a container: files and variables."""

from __future__ import annotations

import posixpath

from gracelint.base.memory import lru_cache
from gracelint.facts.yaml import Mapping, Scalar
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts import yaml
    from gracelint.facts.compose import ComposeService
    from gracelint.facts.kubernetes import ConfigMap, Container, Workload
    from gracelint.source import Passage


def mounted_texts(workload: Workload, container: Container) -> dict[str, Passage | None]:
    """The texts by absolute path in the container, as far as they can be told."""
    found: dict[str, Passage | None] = {}
    volumes = _volumes(workload)
    for mount in container.node.mappings("volumeMounts") if volumes else ():
        at, name, part = mount.scalar("mountPath"), mount.scalar("name"), mount.scalar("subPath")
        texts = volumes.get(name.value) if name is not None else None
        if at is None or texts is None:
            continue
        for path, text in texts.items():
            if part is None:
                found[posixpath.normpath(posixpath.join(at.value, path))] = text
            elif part.value == path:
                found[posixpath.normpath(at.value)] = text
    return found


def configs_of(service: ComposeService) -> tuple[tuple[tuple[str, str], ...], dict[str, Passage | None]]:
    """The `configs` a service is given: files as project path and path in the container, and texts by that path."""
    from gracelint.parse.scalars import passage_of

    files: list[tuple[str, str]] = []
    texts: dict[str, Passage | None] = {}
    for name, target in _asked(service):
        for document, _ in service.layers:
            path, content = (
                document.root.scalar("configs", name, key) if isinstance(document.root, Mapping) else None
                for key in ("file", "content")
            )
            if path is not None and "$" not in path.value and not path.value.startswith("/"):
                folder = posixpath.dirname(document.source.path)
                files.append((posixpath.normpath(posixpath.join(folder, path.value)), target))
            elif content is not None:
                # Compose puts variables into it
                texts[target] = passage_of(content) if "$" not in content.value else None
    return tuple(files), texts


@lru_cache(16)  # many containers take the same
def data_of(config_map: ConfigMap) -> dict[str, Word]:
    """What a ConfigMap holds, by key; of texts that a container may start, or what it starts may read, the places."""
    from gracelint.parse.scalars import passage_of

    found: dict[str, Word] = {}
    for part in ("data", "binaryData"):
        texts = config_map.node.mapping(part)
        for key, value in texts.items if texts is not None else ():
            if isinstance(value, Scalar):
                is_read = part == "data" and (value.value.startswith("#!") or key.value.endswith(_STARTED))
                found[key.value] = Word(value.value, value.span, passage_of(value) if is_read else None)
    return found


_STARTED = (".sh", ".bash", ".conf", ".ini", "run")
"""Ends of the names of files that a container may start, or what it starts may read."""


_MOST_VARIABLES = 500
"""Of a ConfigMap that containers take whole; of more of them nobody says what they are."""


def variables_of(workload: Workload, container: Container) -> dict[str, Word | None]:
    """The variables of a container: its own, and before them those of ConfigMaps; others may be set from elsewhere."""
    from gracelint.parse.expansion import OTHER_VARIABLES

    found: dict[str, Word | None] = {}
    for item in container.node.mappings("envFrom") if container.takes_variables else ():
        one = _config_map(item.scalar("configMapRef", "name"), workload)
        prefix = item.scalar("prefix")
        if one is None or len(data_of(one)) > _MOST_VARIABLES:
            found = {**dict.fromkeys(found), OTHER_VARIABLES: None}
        else:
            found |= {f"{prefix.value if prefix is not None else ''}{key}": word for key, word in data_of(one).items()}
    found |= container.env or {}
    for item in container.node.mappings("env") if workload.config_maps else ():
        name, key = item.scalar("name"), item.scalar("valueFrom", "configMapKeyRef", "key")
        one = _config_map(item.scalar("valueFrom", "configMapKeyRef", "name"), workload)
        if name is not None and key is not None and one is not None:
            found[name.value] = data_of(one).get(key.value)
    return found


def _config_map(name: Scalar | None, workload: Workload) -> ConfigMap | None:
    return next((item for item in workload.config_maps if name is not None and item.name == name.value), None)


def _asked(service: ComposeService) -> Iterator[tuple[str, str]]:
    """Name and path in the container of each."""
    for _, node in service.layers:
        for item in node.sequence("configs"):
            if isinstance(item, Scalar):
                yield item.value, f"/{item.value}"
                continue
            source = item.scalar("source") if isinstance(item, Mapping) else None
            target = item.scalar("target") if isinstance(item, Mapping) else None
            if source is not None:
                yield source.value, target.value if target is not None else f"/{source.value}"


def _volumes(workload: Workload) -> dict[str, dict[str, Passage | None]]:
    """What each volume made of a ConfigMap holds, by path in it."""
    found = {}
    for volume in workload.pod.mappings("volumes") if workload.config_maps else ():
        name, source = volume.scalar("name"), volume.mapping("configMap")
        one = _config_map(source.scalar("name") if source is not None else None, workload)
        if name is not None and source is not None and one is not None:
            found[name.value] = _texts(source, one)
    return found


def _texts(source: yaml.Mapping, config_map: ConfigMap) -> dict[str, Passage | None]:
    renamed = {
        key.value: path.value
        for item in source.mappings("items")
        if (key := item.scalar("key")) is not None and (path := item.scalar("path")) is not None
    }
    return {
        renamed.get(key, key): word.passage
        for key, word in data_of(config_map).items()
        if word.passage is not None and (not renamed or key in renamed)
    }
