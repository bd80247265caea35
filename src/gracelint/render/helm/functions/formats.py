"""YAML, JSON, TOML, base64, digests, addresses and versions."""

from __future__ import annotations

import base64
import hashlib
import json

from gracelint.render.dump import dump
from gracelint.render.helm.functions.versions import parts, satisfies
from gracelint.render.helm.template import TemplateError
from gracelint.render.helm.values import shown
from gracelint.render.values import parsed, weigh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Tree = dict[str, Any]


def _from_yaml(text: Any) -> Tree:
    """Helm answers with the mistake, as a value."""
    try:
        value = parsed(shown(text))
    except ValueError as error:
        return {"Error": str(error)}
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"Error": "no mapping"}


def _from_yaml_list(text: Any) -> list[Any]:
    try:
        return _list(parsed(shown(text)))
    except ValueError as error:
        return [str(error)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else ["no list"]


def _from_json(text: Any) -> Any:
    try:
        return json.loads(shown(text), parse_int=float)
    except ValueError as error:
        return {"Error": str(error)}
    except RecursionError as error:
        raise TemplateError("too large to be followed") from error


def _json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {shown(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in value]
    if isinstance(value, float) and value == value and abs(value) < 1e21 and value == int(value):
        return int(value)
    return value if value is None or isinstance(value, (str, int, float)) else shown(value)


def _raw_json(value: Any, indent: int | None = None) -> str:
    weigh(value)
    separators = (",", ": " if indent else ":")
    text = json.dumps(_json_value(value), separators=separators, sort_keys=True, ensure_ascii=False, indent=indent)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _to_json(value: Any, indent: int | None = None) -> str:
    """As encoding/json writes it: safe to stand in HTML."""
    text = _raw_json(value, indent)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _from_toml(text: Any) -> Tree:
    from gracelint.toml import loads

    try:
        return loads(shown(text))
    except ValueError as error:
        return {"Error": str(error)}


def _to_toml(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    return "".join(_toml_lines(value, ()))


def _toml_lines(tree: Tree, path: tuple[str, ...]) -> list[str]:
    lines = [
        f"{key} = {_raw_json(tree[key])}\n"
        for key in sorted(tree)
        if not isinstance(tree[key], dict) and tree[key] is not None
    ]
    for key in sorted(tree):
        if isinstance(tree[key], dict):
            lines += [f"\n[{'.'.join((*path, key))}]\n", *_toml_lines(tree[key], (*path, key))]
    return lines


def _base64(text: Any) -> str:
    return base64.b64encode(shown(text).encode()).decode()


def _from_base64(text: Any) -> str:
    try:
        return base64.b64decode(shown(text), validate=True).decode(errors="replace")
    except ValueError as error:
        return str(error)


def _from_base32(text: Any) -> str:
    try:
        return base64.b32decode(shown(text)).decode(errors="replace")
    except ValueError as error:
        return str(error)


def _adler32(text: Any) -> str:
    from zlib import adler32

    return str(adler32(shown(text).encode()))


def _url_parts(text: Any) -> Tree:
    from urllib.parse import unquote, urlsplit

    address = urlsplit(shown(text))
    is_opaque = bool(address.scheme) and not address.netloc and not address.path.startswith("/")
    user, _, host = address.netloc.rpartition("@")
    return {
        "scheme": address.scheme,
        "userinfo": user,
        "host": host,
        "hostname": address.hostname or "",
        "path": "" if is_opaque else unquote(address.path),
        "query": address.query,
        "fragment": address.fragment,
        "opaque": address.path if is_opaque else "",
    }


def _url(address: Any) -> str:
    from urllib.parse import urlunsplit

    known = {key: shown(value) for key, value in address.items()}
    host = "@".join(filter(None, (known.get("userinfo"), known.get("host"))))
    pieces = (known.get("scheme", ""), host, known.get("path", ""), known.get("query", ""), known.get("fragment", ""))
    return urlunsplit(pieces)


def _escaped(text: Any) -> str:
    from urllib.parse import quote_plus

    return quote_plus(shown(text))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "toYaml": dump,
    "mustToYaml": dump,
    "toYamlPretty": lambda value: dump(value, indents_lists=True),
    "fromYaml": _from_yaml,
    "fromYamlArray": _from_yaml_list,
    "toJson": _to_json,
    "mustToJson": _to_json,
    "toRawJson": _raw_json,
    "mustToRawJson": _raw_json,
    "toPrettyJson": lambda value: _to_json(value, 2),
    "mustToPrettyJson": lambda value: _to_json(value, 2),
    "fromJson": _from_json,
    "mustFromJson": _from_json,
    "fromJsonArray": lambda text: _list(_from_json(text)),
    "toToml": _to_toml,
    "mustToToml": _to_toml,
    "fromToml": _from_toml,
    "b64enc": _base64,
    "b64dec": _from_base64,
    "b32enc": lambda text: base64.b32encode(shown(text).encode()).decode(),
    "b32dec": _from_base32,
    "sha1sum": lambda text: hashlib.sha1(shown(text).encode(), usedforsecurity=False).hexdigest(),
    "sha256sum": lambda text: hashlib.sha256(shown(text).encode()).hexdigest(),
    "sha512sum": lambda text: hashlib.sha512(shown(text).encode()).hexdigest(),
    "adler32sum": _adler32,
    "urlParse": _url_parts,
    "urlJoin": _url,
    "urlquery": _escaped,
    "semver": parts,
    "semverCompare": satisfies,
}
