"""What an image that nobody here knows leaves open: its ENTRYPOINT, its STOPSIGNAL."""

from __future__ import annotations

from gracelint.base.record import replace
from gracelint.facts.launch import Effect
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.launch import Image, Launch
    from gracelint.launch.hops import Way


def entrypoint(launch: Launch) -> bool:
    """Whether an image that nobody here knows may put an ENTRYPOINT of its own in front of the command."""
    overridden = (launch.service is not None and launch.service.entrypoint is not None) or (
        launch.container is not None and launch.container.command is not None
    )
    return launch.image.entrypoint is None and not overridden


def under_any_entrypoint(way: Way, as_child: Way, image: Image) -> Way:
    """An unknown ENTRYPOINT may be an init: sure is only what holds with one and without."""
    if as_child.verdict is way.verdict:
        return way
    why = f"the image {image.reference} may bring an ENTRYPOINT of its own, such as an init"
    hops = tuple(
        replace(hop, effect=Effect.UNKNOWN, why=why) if hop.effect in (Effect.SWALLOWS, Effect.CUTS) else hop
        for hop in way.hops
    )
    return replace(way, hops=hops, verdict=Verdict.UNKNOWN, why=why, decisive=None)


def stop_signal(launch: Launch) -> bool:
    """Whether SIGTERM is only assumed: an image that nobody here knows may bring a STOPSIGNAL of its own."""
    given = launch.service.stop_signal if launch.service is not None else None
    given = launch.container.stop_signal if launch.container is not None else given
    return launch.image.stop_signal is None and given is None


def on_any_stop_signal(way: Way, image: Image) -> Way:
    """An image with a server in it most often descends from the server's own image, and inherits its STOPSIGNAL."""
    hop = way.decisive
    better = hop.details.get("better") if hop is not None else None
    if hop is None or better is None or way.verdict not in (Verdict.IGNORED, Verdict.CUT):
        return way
    why = (
        f"the image {image.reference} may bring a STOPSIGNAL of its own: "
        f"on {better}, {hop.details['label']} finishes what is in flight"
    )
    open_ = replace(hop, effect=Effect.UNKNOWN, why=why)
    hops = tuple(open_ if each is hop else each for each in way.hops)
    return replace(way, hops=hops, verdict=Verdict.UNKNOWN, why=why, decisive=None)
