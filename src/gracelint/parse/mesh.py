"""What the annotations of a pod say of the mesh proxy that is put into it."""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.base.patterns import pattern
from gracelint.facts.kubernetes import Mesh
from gracelint.source import Located, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ISTIO = "proxy.istio.io/config"
_LINKERD_WAIT = "config.alpha.linkerd.io/proxy-wait-before-exit-seconds"
_LINKERD = "linkerd.io/inject"
_NATIVE = ("config.alpha.linkerd.io/proxy-enable-native-sidecar", "config.beta.linkerd.io/proxy-enable-native-sidecar")
_DRAIN = pattern(r"""["']?terminationDrainDuration["']?\s*:\s*["']?([0-9]{1,6})(s|m)\b""")


def mesh_of(annotations: Mapping[str, Word]) -> Mesh | None:
    config = annotations.get(_ISTIO)
    drain = _DRAIN.search(config.value) if config is not None else None
    if config is not None and drain is not None:
        return Mesh("Istio", drain=Located(float(drain[1]) * (60 if drain[2] == "m" else 1), config.span))
    injected = annotations.get(_LINKERD)
    if any(annotations[key].value == "true" for key in _NATIVE if key in annotations):
        return None
    wait = annotations.get(_LINKERD_WAIT)
    if wait is not None and is_whole(wait.value):
        return Mesh("Linkerd", wait=Located(float(wait.value[:6]), wait.span))
    if injected is not None and injected.value in ("enabled", "ingress") and wait is None:
        return Mesh("Linkerd", wait=Located(0.0, injected.span))
    return None
