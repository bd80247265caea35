"""Files that a ConfigMap of the same input puts into a container."""

from __future__ import annotations

import posixpath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts import yaml
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


def _volumes(workload: Workload) -> dict[str, dict[str, Passage | None]]:
    """What each volume made of a ConfigMap holds, by path in it."""
    found = {}
    for volume in workload.pod.mappings("volumes") if workload.config_maps else ():
        name, source = volume.scalar("name"), volume.mapping("configMap")
        wanted = source.scalar("name") if source is not None else None
        one = next((item for item in workload.config_maps if wanted is not None and item.name == wanted.value), None)
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
        for key, word in config_map.data.items()
        if word.passage is not None and (not renamed or key in renamed)
    }
