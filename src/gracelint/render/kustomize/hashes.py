"""The hashes at the end of the names of generated ConfigMaps and Secrets (kustomize's api/hasher)."""

from __future__ import annotations

from gracelint.render.kustomize.resource import Resource, with_text
from gracelint.render.kustomize.transform import referring
from gracelint.render.tree import Leaf, at, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.render.effort import Effort
    from gracelint.render.kustomize.fieldspecs import Config

_PER_STEP = 64
"""Code points that are hashed at the price of one step."""


def with_hashes(found: list[Resource], config: Config, effort: Effort) -> list[Resource]:
    """The objects with the names that generated ones have in the end, also where others call them."""
    renamed: dict[str, dict[tuple[str, str], str]] = {}
    for one in found:
        if one.hashed:
            names = renamed.setdefault(one.namespace, {})
            names[one.kind, one.current] = f"{one.current}-{_hash(one, effort)}"
    if not renamed:
        return found
    effort.spend(len(found))
    return [_renamed(one, renamed[one.namespace], config) if one.namespace in renamed else one for one in found]


def _renamed(one: Resource, renamed: dict[tuple[str, str], str], config: Config) -> Resource:
    if one.hashed:
        one = one.with_tree(with_text(one.tree, ("metadata", "name"), lambda name: renamed[one.kind, name]))
    return referring(one, renamed, config)


def _hash(one: Resource, effort: Effort) -> str:
    """Of kind and content: the name that kustomize means to add it never finds."""
    import base64
    import hashlib
    import json

    data = at(one.tree, "data")
    texts = {key: leaf.value for key, leaf in data.items() if isinstance(leaf, Leaf)} if isinstance(data, dict) else {}
    effort.spend(sum(map(len, texts.values())) // _PER_STEP)
    held = {"kind": one.kind, "name": "", "data": {str(key): str(value) for key, value in texts.items()} or ""}
    if one.kind == "Secret":
        coded = {key: base64.b64encode(value.encode()).decode() for key, value in texts.items()}
        held |= {"data": coded or "", "type": scalar(one.tree, "type") or "Opaque"}
    written = json.dumps(held, ensure_ascii=False, sort_keys=True, separators=(",", ":")).translate(_ESCAPED)
    return hashlib.sha256(written.encode()).hexdigest()[:10].translate(_LETTERS)


_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "&<>\u2028\u2029"}
_LETTERS = str.maketrans("013ae", "ghkmt")
"""So that no word comes to be."""
