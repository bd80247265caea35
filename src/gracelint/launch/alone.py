"""Which Dockerfiles are judged by themselves: what they start is run by nothing here, or only otherwise."""

from __future__ import annotations

from gracelint.launch.desk import Desk, for_development, place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.launch import Launch


def served(launches: Iterable[Launch]) -> dict[tuple[str, int], bool]:
    """The stages that are run, and whether anything runs them that is not for development."""
    found: dict[tuple[str, int], bool] = {}
    for launch in launches:
        if launch.stage is not None:
            place = place_of(launch.stage)
            instead = launch.dev_server and not _runs_its_own(launch)
            found[place] = found.get(place, False) or not (launch.development or instead)
    return found


def stands_alone(desk: Desk, stage: Stage, served: Mapping[tuple[str, int], bool]) -> bool:
    """Whether nothing here runs what a stage starts by itself: nobody runs it at all, or only for development."""
    if not desk.users(stage):
        return True
    starts = any(one.own("CMD") or one.own("ENTRYPOINT") for one in stage.lineage())
    return starts and not served.get(place_of(stage), True) and not for_development(stage, stage.source)


def _runs_its_own(launch: Launch) -> bool:
    """Whether it starts what its image says."""
    own = launch.image.own_argv if launch.image is not None else None
    return [word.value for word in own or ()] == [word.value for word in launch.argv or ()]
