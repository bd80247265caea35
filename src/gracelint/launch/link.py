"""Which files belong together, and the launches they make."""

from __future__ import annotations

import posixpath

from gracelint.base.record import Record, replace
from gracelint.base.secrets import veiled, veiled_value
from gracelint.facts.dockerfile import WINDOWS
from gracelint.facts.hooks import Hook
from gracelint.facts.launch import Budget, Drain, Effect, HopKind, Image, Launch, Origin
from gracelint.facts.verdict import Verdict, with_time
from gracelint.knowledge import table
from gracelint.launch.budget import budget_of, declared
from gracelint.launch.desk import Desk, Ground, for_development, ground_of, ground_of_stage, served, stands_alone
from gracelint.launch.hops import Way, follow
from gracelint.launch.signals import signal_name
from gracelint.launch.step import Context, Followed
from gracelint.source import Located, Passage, Word
from gracelint.tree.purpose import is_for_development, is_for_tests, starting_production

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gracelint.facts import yaml
    from gracelint.facts.compose import ComposeService
    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.files import Files
    from gracelint.facts.kubernetes import Container, Workload
    from gracelint.facts.program import Program
    from gracelint.launch.images.names import Link
    from gracelint.launch.near import Near
    from gracelint.parse.kubernetes import Manifests


DOCKER_GRACE = 10.0
"""Seconds between `docker stop`'s signal and SIGKILL (Docker Engine)."""


class Linked(Record, identity=True):
    launches: tuple[Launch, ...]
    workloads: tuple[Workload, ...]
    programs: tuple[Program, ...]
    broken: tuple[tuple[Origin, Exception], ...] = ()
    """Launches that could not be followed because of a bug here, and what it raised."""
    is_whole: bool = True
    """Whether all launches were followed."""


def link(
    desk: Desk,
    manifests: Manifests | None,
    services: Sequence[ComposeService],
    near: Near | None = None,
    elsewhere: Iterable[tuple[str, str]] = (),
) -> Linked:
    """Joins what was read. Where two files could be meant, nothing is joined.

    Only launches that are `near` are followed; None stands for all. `elsewhere` are the images, each with its file, of
    workloads that were not read.
    """
    attached = _attached(manifests) if manifests is not None else []
    desk.count_users(services, attached, elsewhere)
    desk.share_room([*services, *(workload for workload in attached for _ in workload.containers)])
    if near is not None and desk.may_start_with(near.silent, services):
        near = None
    if near is not None:
        _widen(near, desk, services, attached)
    completed = set(_completed(services))
    composed = [
        _compose_launch(desk, service, one_shot=(service.source.path, service.name) in completed or _sets_up(service))
        for service in services
        if near is None or near.compose or near.image(desk.of_service(service), desk)
    ]
    workloads: list[Workload] = []
    deployed: list[Launch] = []
    for workload in attached:
        if near is not None and not _is_near(near, desk, workload):
            continue
        name = (workload.source.path, workload.kind, workload.namespace, workload.name)
        judged = desk.again(("workload", *name), replace(workload, assume=desk.assume(workload.source)))
        pods = _side_by_side([_pod_launch(desk, judged, container) for container in judged.containers])
        workloads.append(desk.again(("launched", *name), replace(judged, launches=pods)))
        deployed += pods
    run = served([*composed, *deployed])
    alone = [
        _image_launch(desk, stage)
        for stage in desk.final_stages()
        if not stage.windows and (near is None or near.stage(stage)) and stands_alone(desk, stage, run)
    ]
    launches = [*alone, *composed, *deployed]
    programs = tuple(_programs(desk, launches))
    return Linked(tuple(launches), tuple(workloads), programs, tuple(desk.broken), near is None)


def _widen(near: Near, desk: Desk, services: Sequence[ComposeService], workloads: Sequence[Workload]) -> None:
    """Draws near the images of what is near: their other users meet the same lines, and are told of there."""
    found = [desk.of_service(service) for service in services if near.compose]
    for workload in workloads:
        links = [desk.named(container.image, workload.source) for container in workload.containers]
        if near.workload(workload) or any(near.stage(_stage_of(desk, link)) for link in links):
            found += links
    near.images |= {link.dockerfile for link in found if link is not None}


def _is_near(near: Near, desk: Desk, workload: Workload) -> bool:
    if near.workload(workload):
        return True
    links = (desk.named(container.image, workload.source) for container in workload.containers)
    return any(near.image(found, desk) for found in links)


def _stage_of(desk: Desk, found: Link | None) -> Stage | None:
    return desk.stage(found) if found is not None else None


def _attached(manifests: Manifests) -> list[Workload]:
    from gracelint.launch.units import attach

    return attach(manifests)


class _Around(Record):
    """What a container gets from its file besides its command."""

    env: Mapping[str, Word | None] | None = None
    working_dir: Word | None = None
    pid_1: bool = True
    init: bool = False
    mounts: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    stdin_open: bool = False
    written: Mapping[str, Passage | None] | None = None


def _image_launch(desk: Desk, stage: Stage) -> Launch:
    """A Dockerfile by itself: what `docker run` starts."""
    ground = ground_of_stage(desk, stage)
    image = ground.image
    own = [item.span for item in (image.cmd_at, image.entrypoint_at) if item is not None]
    # a command that comes from another file's stage is declared by the FROM of this one
    at = next((span for span in own if span.source.path == stage.source.path), stage.from_.span)
    origin = Origin("dockerfile", stage.source, at, stage.name or str(stage.index))
    return _made(desk, origin, (stage,), ground, lambda: (_of_image(stage, origin, ground), _Around()))


def _of_image(stage: Stage, origin: Origin, ground: Ground) -> Launch:
    return Launch(
        origin=origin,
        image=ground.image,
        argv=ground.image.own_argv,
        hops=(),
        verdict=Verdict.UNKNOWN,
        why="",
        stop_signal=ground.image.stop_signal or Word("SIGTERM"),
        budget=budget_of(Located(DOCKER_GRACE), assume=ground.assume),
        stage=stage,
        development=for_development(stage, stage.source),
        assume=ground.assume,
    )


def _completed(services: Sequence[ComposeService]) -> Iterator[tuple[str, str]]:
    """The services that others wait for until they have ended well."""
    for service in services:
        waits = service.node.mapping("depends_on")
        if waits is None:
            continue
        for name, _ in waits.items:
            condition = waits.scalar(name.value, "condition")
            if condition is not None and condition.value == "service_completed_successfully":
                yield service.source.path, name.value


def _sets_up(service: ComposeService) -> bool:
    """Whether its name says that it ends by itself, and nothing starts it again."""
    words = service.name.lower().replace("_", "-").split("-")
    return not _starts_again(service) and not set(table("one_shots")["names"]).isdisjoint(words)


def _starts_again(service: ComposeService) -> bool:
    """Whether it is started again whenever it ends: `always`, `unless-stopped`."""
    restart = service.node.scalar("restart")
    return restart is not None and restart.value != "no" and not restart.value.startswith("on-failure")


def _compose_launch(desk: Desk, service: ComposeService, *, one_shot: bool) -> Launch:
    ground = ground_of(desk, service.source, desk.of_service(service), service.image)
    origin = Origin("compose", service.source, service.span, service.name)
    given = (service, one_shot)
    return _made(desk, origin, given, ground, lambda: _of_service(service, origin, ground, one_shot=one_shot))


def _of_service(service: ComposeService, origin: Origin, ground: Ground, *, one_shot: bool) -> tuple[Launch, _Around]:
    from gracelint.launch.mounted import configs_of
    from gracelint.parse.misplaced import in_service

    config_files, config_texts = configs_of(service)
    image, stage = ground.image, ground.stage
    if service.entrypoint is not None:
        argv: tuple[Word, ...] | None = (*service.entrypoint, *(service.command or ()))
    else:
        argv = _with_arguments(image, service.command)
    launch = Launch(
        origin=origin,
        image=image,
        argv=argv or None,
        hops=(),
        verdict=Verdict.UNKNOWN,
        why="",
        stop_signal=service.stop_signal or image.stop_signal or Word("SIGTERM"),
        budget=budget_of(service.grace, annotations=service.annotations, assume=ground.assume),
        link=ground.link,
        fitting=ground.fitting,
        stage=stage,
        service=service,
        misplaced=tuple(in_service(service)),
        gets_traffic=service.node.get("ports") is not None,
        shared=ground.shared,
        one_shot=one_shot,
        development=service.development or for_development(stage, service.source),
        assume=ground.assume,
    )
    return launch, _Around(
        env=service.environment,
        working_dir=service.working_dir,
        pid_1=service.pid is None,
        init=service.init is not None and service.init.value,
        mounts=(*service.mounts, *config_files),
        written=config_texts,
        user=service.user.value if service.user is not None else None,
        stdin_open=_is_true(service.node, "tty", "stdin_open"),
    )


def _pod_launch(desk: Desk, workload: Workload, container: Container) -> Launch:
    ground = ground_of(desk, workload.source, desk.named(container.image, workload.source), container.image)
    origin = Origin("kubernetes", workload.source, container.span, workload.name, container.name)
    given = (workload, container)
    return _made(desk, origin, given, ground, lambda: _of_container(workload, container, origin, ground))


def _of_container(workload: Workload, container: Container, origin: Origin, ground: Ground) -> tuple[Launch, _Around]:
    from gracelint.launch.mounted import mounted_texts, variables_of
    from gracelint.launch.traffic import gets_traffic
    from gracelint.parse.purposes import is_store

    image, stage = ground.image, ground.stage
    if container.command is not None:
        argv: tuple[Word, ...] | None = (*container.command, *(container.args or ()))
    else:
        argv = _with_arguments(image, container.args)
    launch = Launch(
        origin=origin,
        image=image,
        argv=argv or None,
        hops=(),
        verdict=Verdict.UNKNOWN,
        why="",
        stop_signal=container.stop_signal or image.stop_signal or Word("SIGTERM"),
        budget=budget_of(
            workload.grace, pre_stop=container.pre_stop, annotations=workload.annotations, assume=ground.assume
        ),
        link=ground.link,
        fitting=ground.fitting,
        stage=stage,
        container=container,
        workload=workload,
        pre_stop=container.pre_stop,
        misplaced=tuple(item for one, item in workload.misplaced if one is container),
        gets_traffic=gets_traffic(workload, container) and not (stage is not None and is_store(image.reference or "")),
        shared=ground.shared,
        one_shot=container.role == "init",
        development=for_development(stage, workload.source),
        assume=ground.assume,
    )
    return launch, _Around(
        env=variables_of(workload, container),
        working_dir=container.working_dir,
        pid_1=not workload.share_process_namespace,
        user=container.user,
        stdin_open=container.stdin_open,
        written=mounted_texts(workload, container),
    )


def _is_true(node: yaml.Mapping, *keys: str) -> bool:
    return any((word := node.scalar(key)) is not None and word.value.lower() == "true" for key in keys)


def _with_arguments(image: Image, arguments: tuple[Word, ...] | None) -> tuple[Word, ...] | None:
    """What an image starts, with arguments in place of its CMD; None where an unknown ENTRYPOINT gets them.

    A stage with a CMD of its own says that its base, known or not, starts what it is given.
    """
    if arguments is None:
        return image.own_argv
    if image.entrypoint is None and image.family is None and image.cmd is None:
        return None
    return (*(image.entrypoint or ()), *arguments)


def _made(
    desk: Desk, origin: Origin, given: object, ground: Ground, draw: Callable[[], tuple[Launch, _Around]]
) -> Launch:
    """The launch with its hops, its verdict and its budget. A bug met on one way costs the other launches nothing.

    `draw` makes it, yet to be followed, of what is `given` and of its ground.
    """

    def make(files: Files) -> tuple[Launch, list[Program]]:
        return _followed(files, *draw(), ground)

    try:
        if desk.warm is None:
            followed, programs = make(desk.files)
        else:
            name = ("launch", origin.kind, origin.source.path, origin.name, origin.container)
            followed, programs = desk.warm.made(name, (origin, given, ground), desk.files, make)
    except Exception as error:
        desk.broken.append((origin, error))
        return replace(draw()[0], why="gracelint failed to follow it")
    desk.programs[id(followed)] = programs
    desk.followed()
    return followed


def _followed(files: Files, launch: Launch, around: _Around, ground: Ground) -> tuple[Launch, list[Program]]:
    image, inside = launch.image, around.working_dir
    image = replace(image, mounts=(*around.mounts, *image.mounts)) if around.mounts else image
    image = replace(image, written=around.written) if around.written else image
    values: dict[str, str | None] = dict(image.env)
    for key, word in (around.env or {}).items():
        values[key] = None if word is None or "$" in word.value else word.value
    values = {key: value and veiled_value(key, value) for key, value in values.items()}
    signal = signal_name(launch.stop_signal.value) or "SIGTERM"
    context = Context(
        image=image,
        files=files,
        working_dir=posixpath.join(image.working_dir, inside.value) if inside else image.working_dir,
        env=values,
        pid_1=around.pid_1,
        signal=signal,
        span=launch.origin.span,
        assume=launch.assume,
        wrappers=ground.wrappers,
        user=around.user,
        stdin_open=around.stdin_open,
        followed=Followed(ground.room, ground.launches),
    )
    launch = _with_hook(launch, context)
    if _is_for_windows(launch):
        return replace(launch, argv=None, why="a Windows container gets no signals"), []
    if launch.service is not None and launch.service.missing is not None:
        return replace(launch, argv=None, why=f"it extends {launch.service.missing}, which is not here"), []
    if launch.argv is None:
        return replace(launch, why=_no_command(launch), budget=_budget(launch, context)), []
    way = _way(launch.argv, context, launch, around.init)
    if launch.image.family is None:
        from gracelint.launch import unseen

        if unseen.entrypoint(launch) and not around.init:
            way = unseen.under_any_entrypoint(way, follow(launch.argv, replace(context, pid_1=False)), image)
        if unseen.stop_signal(launch):
            way = unseen.on_any_stop_signal(way, image)
    if way.one_shot and launch.service is not None and _starts_again(launch.service):
        why = f"{way.why}; and yet Compose starts it again whenever it ends"
        way = replace(way, verdict=Verdict.UNKNOWN, why=why, decisive=None, one_shot=False)
    if signal_name(launch.stop_signal.value) is None:
        why = f"the stop signal {launch.stop_signal.value} is only known when the image is built"
        way = replace(way, verdict=Verdict.UNKNOWN, why=why, decisive=None)
    need = declared(_annotations(launch))
    if need is not None:
        from gracelint.launch.deadlines import declared_shortfalls

        way = replace(way, shortfalls=declared_shortfalls(way.hops, need))
    budget = _budget(launch, context, way.drains)
    way = _beside_its_program(_beside_hook(_within_grace(way, budget), launch.hook), launch)
    judged = replace(
        launch,
        hops=way.hops,
        program=way.program,
        one_shot=launch.one_shot or way.one_shot,
        dev_server=way.development,
        development=launch.development
        or (way.development and (_is_told_to_develop(around) or _is_replaced(launch, files)))
        or _is_started_for_development(way),
        children=way.children,
        verdict=way.verdict,
        why=veiled(way.why),
        decisive=way.decisive,
        shortfalls=way.shortfalls,
        budget=budget,
    )
    if judged.verdict in (Verdict.IGNORED, Verdict.CUT):
        judged = replace(judged, siblings=tuple(_sibling(judged, other) for other in way.others))
    return judged, list(way.programs)


def _is_for_windows(launch: Launch) -> bool:
    if launch.workload is not None and launch.workload.windows:
        return True
    if launch.stage is not None:
        return launch.stage.windows
    return any(mark in (launch.image.reference or "") for mark in WINDOWS)


def _is_told_to_develop(around: _Around) -> bool:
    if not around.env:
        return False
    from gracelint.parse.purposes import is_told_to_develop

    return is_told_to_develop(around.env)


def _is_replaced(launch: Launch, files: Files) -> bool:
    """Whether production starts something else: a development server is meant then."""
    if launch.service is not None:
        return launch.service.replaced
    if launch.origin.kind != "dockerfile" or posixpath.basename(launch.origin.source.path) != "Dockerfile":
        return False
    return bool(starting_production(files.names(posixpath.dirname(launch.origin.source.path))))


def _is_started_for_development(way: Way) -> bool:
    """Whether the folder of a script on the way says so, `dev/docker/entrypoint.sh`, or its program is one of tests."""
    if way.program is not None and is_for_tests(way.program.source.path):
        return True
    lines = (hop.details.get("at") for hop in way.hops if hop.details.get("form") == "script")
    return any(line is not None and is_for_development(line.source.path) for line in lines)


_NATIVE_SIDECARS = (1, 29)
"""The first version of Kubernetes that has them on."""


def _beside_its_program(way: Way, launch: Launch) -> Way:
    """What a proxy drops is what the program beside it still sends: nothing where it is stopped after it."""
    container, workload = launch.container, launch.workload
    if way.verdict is not Verdict.CUT or container is None or container.proxy is None or workload is None:
        return way
    program = next((one.name for one in workload.containers if one.role == "main" and one.proxy is None), None)
    if program is None or not way.hops:
        return way
    version = launch.assume.kubernetes_version
    if container.role == "sidecar" and (version is None or version >= _NATIVE_SIDECARS):
        verdict, effect = Verdict.HANDLED, Effect.HANDLES
        why = f"{way.why}; a sidecar is stopped last, when `{program}` has ended"
    else:
        verdict, effect = Verdict.UNKNOWN, Effect.UNKNOWN
        why = f"{way.why}; whether `{program}` still needs it then is not known"
    details = {**way.hops[-1].details, "client": program, "drops": way.why}
    hops = (*way.hops[:-1], replace(way.hops[-1], effect=effect, why=why, details=details))
    return replace(way, hops=hops, verdict=verdict, why=why, decisive=None)


def _side_by_side(pods: Sequence[Launch]) -> tuple[Launch, ...]:
    """The containers of one pod: a proxy cuts off the program that answers its last requests through it."""
    answering = (Verdict.HANDLED, Verdict.IGNORED)
    clients = {one.container.name for one in pods if one.container and one.gets_traffic and one.verdict in answering}
    return tuple(_cut_off(one) if _drops(one) in clients else one for one in pods)


def _drops(launch: Launch) -> str | None:
    """The program whose connections it drops without waiting for it, as far as the files say."""
    container = launch.container
    if launch.verdict is not Verdict.UNKNOWN or container is None or container.pre_stop or container.role != "main":
        return None
    return launch.hops[-1].details.get("client") if launch.hops else None


def _cut_off(launch: Launch) -> Launch:
    hop = launch.hops[-1]
    why = f"{hop.details['drops']}, through which `{hop.details['client']}` still answers requests then"
    return replace(
        launch, hops=(*launch.hops[:-1], replace(hop, effect=Effect.CUTS, why=why)), verdict=Verdict.CUT, why=why
    )


def _sibling(launch: Launch, way: Way) -> Launch:
    """Another program of the same supervisor that goes wrong."""
    return replace(
        launch,
        hops=way.hops,
        program=way.program,
        dev_server=way.development,
        children=way.children,
        verdict=way.verdict,
        why=veiled(way.why),
        decisive=way.decisive,
        shortfalls=(),
    )


def _with_hook(launch: Launch, context: Context) -> Launch:
    hook, workload, container = launch.pre_stop, launch.workload, launch.container
    if hook is None or workload is None or container is None or workload.windows:
        return launch
    from gracelint.launch.hook import hook_of

    found = hook_of(hook, context.image, context.files, workload, container, context.working_dir)
    return replace(launch, hook=found)


def _budget(launch: Launch, context: Context, drains: Sequence[Drain] = ()) -> Budget:
    return budget_of(
        launch.budget.grace,
        pre_stop=launch.pre_stop,
        drains=drains,
        annotations=_annotations(launch),
        assume=launch.assume,
        context=context,
    )


def _annotations(launch: Launch) -> Mapping[str, Word] | None:
    subject = launch.workload or launch.service
    return subject.annotations if subject is not None else None


def _no_command(launch: Launch) -> str:
    image, service, container = launch.image, launch.service, launch.container
    build = service.build if service is not None and launch.stage is None else None
    if not image.reference and build is not None and build.inline is None:
        file = posixpath.normpath(posixpath.join(build.context, build.dockerfile))
        return f"{build.context if '://' in build.context else file}, which it is built from, is not in the project"
    if not image.reference:
        return "the files name neither an image nor a command"
    given = service.command if service is not None else container.args if container is not None else None
    if given:
        return f"nothing is known of the image {image.reference}, and its ENTRYPOINT gets the command as arguments"
    return f"what the image {image.reference} starts is not known"


def _way(argv: tuple[Word, ...], context: Context, launch: Launch, init: bool) -> Way:
    if context.signal in ("SIGKILL", "SIGSTOP"):
        way = follow(argv, context)
        why = f"{context.signal} cannot be caught: the kernel ends everything at once"
        return replace(way, verdict=Verdict.CUT, why=why, decisive=None)
    if not init:
        return follow(argv, context)
    from gracelint.launch.wrappers import docker_init

    service = launch.service
    first = docker_init(context, service.init.span if service is not None and service.init is not None else None)
    assert first.context is not None and first.hop is not None
    way = follow(argv, first.context)
    return replace(way, hops=(first.hop, *way.hops))


def _within_grace(way: Way, budget: Budget) -> Way:
    """A program that takes longer than preStop leaves it is killed before it has ended."""
    if way.verdict not in (Verdict.HANDLED, Verdict.CUT) or way.decisive is None:
        return way
    scripts = [hop for hop in way.hops if hop.kind in (HopKind.SCRIPT, HopKind.SHELL)]
    hop = max((way.decisive, *scripts), key=lambda each: each.delay)
    if not hop.delay > budget.left:
        return way
    why = f"{with_time(hop.why, hop.delay)}, but SIGKILL comes after {budget.left:g} s"
    late = replace(hop, effect=Effect.SWALLOWS, why=why)
    hops = tuple(late if each is hop else each for each in way.hops)
    return replace(way, hops=hops, verdict=Verdict.IGNORED, why=why, decisive=late)


def _beside_hook(way: Way, hook: Hook) -> Way:
    """A program that does not end well on the stop signal may be ended by its preStop hook before that comes."""
    if hook.stops is None or way.verdict not in (Verdict.IGNORED, Verdict.CUT):
        return way
    why = f"its preStop hook may end it by another way (`{hook.stops}`); at the stop signal, {way.why}"
    hop = way.decisive
    spared = hop and replace(hop, effect=Effect.UNKNOWN, why=f"{hop.why}; its preStop hook (`{hook.stops}`) may end it")
    hops = tuple(spared if spared and each is hop else each for each in way.hops)
    return replace(way, hops=hops, verdict=Verdict.UNKNOWN, why=why, decisive=None)


def _programs(desk: Desk, launches: Iterable[Launch]) -> Iterator[Program]:
    """Each program once, with the launches that reach it."""
    found: dict[tuple[str, object], tuple[Program, list[Launch]]] = {}
    for launch, program in _started(desk, launches):
        reaction = program.reactions.get("SIGTERM")
        key = (program.source.path, reaction.cause if reaction else None)
        found.setdefault(key, (program, []))[1].append(launch)
    for name, (program, users) in found.items():
        yield desk.again(("program", *name), replace(program, reached=True, launches=tuple(users)))


def _started(desk: Desk, launches: Iterable[Launch]) -> Iterator[tuple[Launch, Program]]:
    for launch in launches:
        yield from ((launch, program) for program in desk.programs.get(id(launch), ()))
        yield from ((sibling, sibling.program) for sibling in launch.siblings if sibling.program is not None)
