"""What only a cluster, a clock, a source of random numbers or the user could say.

Each has a stand-in that is always the same.
"""

from __future__ import annotations

from gracelint.render.helm.functions.numbers import integer
from gracelint.render.helm.template import TemplateError
from gracelint.render.helm.values import Native, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_DAY = "2000-01-01"
_GIVEN_LATER = "${REQUIRED}"
"""What every reader of manifests takes for a variable, whose value nobody here knows."""
_UUID = "00000000-0000-4000-8000-000000000000"


def _letters(count: Any = 8) -> str:
    return "x" * min(max(integer(count), 0), 10_000)


def _certificate(*_: Any) -> Native:
    return Native({"Cert": "certificate", "Key": "key"})


def _fails(reason: Any) -> None:
    raise TemplateError(shown(reason))


def _required(_: Any, value: Any) -> Any:
    """Helm ends here without a value, which whoever installs the chart will give."""
    return _GIVEN_LATER if value is None or value == "" else value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    # `helm template` answers every lookup with nothing.
    "lookup": lambda *_: {},
    "required": _required,
    "getHostByName": lambda *_: "",
    "fail": _fails,
    "env": lambda *_: "",
    "expandenv": shown,
    "hello": lambda: "Hello!",
    "now": lambda: _DAY,
    "date": lambda *_: _DAY,
    "dateInZone": lambda *_: _DAY,
    "date_in_zone": lambda *_: _DAY,
    "htmlDate": lambda *_: _DAY,
    "htmlDateInZone": lambda *_: _DAY,
    "dateModify": lambda *_: _DAY,
    "date_modify": lambda *_: _DAY,
    "mustDateModify": lambda *_: _DAY,
    "must_date_modify": lambda *_: _DAY,
    "toDate": lambda *_: _DAY,
    "mustToDate": lambda *_: _DAY,
    "ago": lambda *_: "0s",
    "unixEpoch": lambda *_: "946684800",
    "randAlphaNum": _letters,
    "randAlpha": _letters,
    "randAscii": _letters,
    "randNumeric": lambda count: "0" * len(_letters(count)),
    "randBytes": _letters,
    "randInt": lambda least, _: integer(least),
    "shuffle": shown,
    "uuidv4": lambda: _UUID,
    "derivePassword": lambda *_: _letters(),
    "htpasswd": lambda user, _: f"{shown(user)}:{_letters()}",
    "bcrypt": lambda _: _letters(),
    "encryptAES": lambda *_: _letters(),
    "decryptAES": lambda *_: _letters(),
    "genPrivateKey": lambda *_: "key",
    "genCA": _certificate,
    "genCAWithKey": _certificate,
    "genSelfSignedCert": _certificate,
    "genSelfSignedCertWithKey": _certificate,
    "genSignedCert": _certificate,
    "genSignedCertWithKey": _certificate,
    "buildCustomCert": _certificate,
}
