"""What is known of an image: a stage of a Dockerfile folded over its base, or only a name."""

from __future__ import annotations

from gracelint.base.posix import join, normal
from gracelint.base.record import replace
from gracelint.facts.launch import Effect, Hop, HopKind, Image
from gracelint.launch.images import layers
from gracelint.launch.images.bases import SEARCH_PATH, entry_script, image_named, repository, sh_row
from gracelint.launch.images.packages import installed
from gracelint.launch.step import Context, Step
from gracelint.launch.words import base_name
from gracelint.source import Passage, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.dockerfile import Instruction, Stage
    from gracelint.facts.files import Files


def image_of(stage: Stage, files: Files, context: str | None) -> Image:
    """The image that a stage makes. `context` is its build context where that is declared."""
    stages = [*stage.lineage()][::-1]
    image = image_named(stages[0].base.value)
    for one in stages:
        image = _built(image, one)
    env = {**image.env, **(stage.env or {})}
    env["PATH"] = env["PATH"].replace("${PATH}", image.env["PATH"]).replace("$PATH", image.env["PATH"])
    return replace(image, stage=stage, context=layers.context_of(stage, files) if context is None else context, env=env)


def _built(image: Image, stage: Stage) -> Image:
    """The image with a stage's own instructions on top."""
    entrypoint, cmd = image.entrypoint, image.cmd
    entrypoint_at, cmd_at = image.entrypoint_at, image.cmd_at
    sets_cmd, has_shell = False, False
    stop_signal, working_dir, user, shell = image.stop_signal, image.working_dir, image.user, image.shell
    for item in stage.instructions:
        if item.name == "SHELL" and item.argv:
            shell = item.argv
        elif item.name == "ENTRYPOINT":
            entrypoint, entrypoint_at = _command(item, shell), item
            if not sets_cmd:
                cmd, cmd_at = (), None
        elif item.name == "CMD":
            cmd, cmd_at, sets_cmd = _command(item, shell), item, True
        elif item.name == "STOPSIGNAL":
            stop_signal = Word(item.value, item.argument.span(0, len(item.argument.text)))
        elif item.name == "WORKDIR":
            working_dir = normal(join(working_dir, item.value))
        elif item.name == "USER":
            user = item.value
        elif item.name == "RUN":
            has_shell = has_shell or _needs_shell(item, shell)
    more = installed(stage)
    versions = {**image.versions, **more.versions}
    if "bash" in more.packages:
        versions.setdefault("bash", "5.2")
    brought = (more.file_system or has_shell) and image.sh == "none"
    return replace(
        image,
        entrypoint=entrypoint,
        cmd=cmd,
        entrypoint_at=entrypoint_at,
        cmd_at=cmd_at,
        stop_signal=stop_signal,
        shell=shell,
        sh=_relinked(more.sh, image, versions) if more.sh else None if brought else image.sh,
        tools=None if brought else image.tools,
        working_dir=working_dir,
        user=user,
        packages=image.packages | more.packages,
        versions=versions,
    )


def _needs_shell(run: Instruction, shell: tuple[Word, ...]) -> bool:
    """Whether a RUN has /bin/sh run its text: an image that is built so has one, whatever is said of its base."""
    brings = run.argv is not None or any(word.value.startswith("--mount") for word in run.flags)
    return not brings and shell[0].value == "/bin/sh" and not run.argument.text.lstrip().startswith("<<")


def _command(instruction: Instruction, shell: tuple[Word, ...]) -> tuple[Word, ...] | None:
    """The words that a CMD or ENTRYPOINT starts; shell form is one word for the shell. None for a broken array."""
    if instruction.argv is not None or instruction.broken_array is not None:
        return instruction.argv
    argument = instruction.argument
    if not argument.text:
        return ()
    return (*shell, Word(argument.text, argument.span(0, len(argument.text)), argument))


def _relinked(name: str, image: Image, versions: dict[str, str]) -> str | None:
    if name == "dash":
        return "dash-debian" if image.os == "apt" else "dash"
    return {"bash": sh_row("bash", versions), "busybox": "busybox-ash", "ash": "busybox-ash"}.get(name)


def find_text(image: Image, files: Files, path: str, working_dir: str) -> Passage | None:
    """The text of a command in the image that came from the project: a bare name is also looked for on PATH."""
    return find_command(image, files, path, working_dir)[1]


def find_command(image: Image, files: Files, path: str, working_dir: str) -> tuple[str, Passage | None]:
    """Where a command is found on PATH, and its text; its own name where that is no bare one, or is found nowhere."""
    found = find_file(image, files, path, working_dir)
    if "/" in path or not path or found is not None:
        return path, found
    for folder in _search_path(image):
        place = join(folder, path)
        if (found := find_file(image, files, place, working_dir)) is not None:
            return place, found
    return path, None


def _search_path(image: Image) -> tuple[str, ...]:
    """The folders of PATH, without those into which nothing of the project is put."""
    folders = image.env.get("PATH", SEARCH_PATH)
    if image.mounts or image.written:
        return layers.search_path(folders)
    return layers.filled(image.stage, folders) if image.stage is not None else ()


def find_file(image: Image, files: Files, path: str, working_dir: str) -> Passage | None:
    """The text of a file in the image that came from the project."""
    place = normal(join("/", working_dir, path))
    if place in image.written:
        return image.written[place]
    found = _origin(image, files, place)
    if isinstance(found, Passage):
        return found
    source = files.read(found) if found is not None else None
    return Passage.whole(source, 1 if source.text.startswith("\ufeff") else 0) if source is not None else None


def find_path(image: Image, files: Files, path: str, working_dir: str) -> str | None:
    """The project's path of a file or folder in the image; "" is the root.

    A folder that is filled file by file has the path that its files share.
    """
    place = normal(join("/", working_dir, path))
    found = _origin(image, files, place)
    if isinstance(found, str):
        return found
    if found is None and image.stage is not None and image.context is not None:
        return layers.folder_of_files(image.stage, files, image.context, place)
    return None


def list_folder(image: Image, files: Files, folder: str, working_dir: str) -> tuple[str, ...]:
    """The names in a folder of the image, as far as it came from the project; folders end in a slash."""
    path = find_path(image, files, folder, working_dir)
    names = files.names(path) if path is not None else ()
    if image.stage is None:
        return names
    place = normal(join("/", working_dir, folder))
    return tuple(dict.fromkeys((*names, *layers.named_in_folder(image.stage, place))))


def _origin(image: Image, files: Files, path: str) -> str | Passage | None:
    for host, target in image.mounts:
        target = normal(target)
        if path == target or path.startswith(f"{target}/"):
            return normal(join(host, path[len(target) :].lstrip("/"))).removeprefix("./")
    if image.stage is None or image.context is None:
        return None
    found = layers.origin(image.stage, files, image.context, path)
    return "" if found == "." else found


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What the base image's own entry script does: it execs its arguments, some of them put behind a program's name."""
    image = context.image
    name = base_name(argv[0].value)
    script = entry_script(image.reference, name) if image.reference else None
    if script is None or find_text(image, context.files, argv[0].value, context.working_dir) is not None:
        return None
    runs = script.get("runs", ())
    rest = argv[1:] if runs and argv[1:] and argv[1].value == runs[0] else (*map(Word, runs), *argv[1:])
    first = rest[0].value if rest else ""
    is_argument = first.startswith("-") or first.endswith(tuple(script.get("suffixes", ())))
    if "prefix" in script and (not rest or is_argument or first in script.get("subcommands", ())):
        rest = (*map(Word, script["prefix"].split()), *rest)
    title = f"{name} of the {repository(image.reference or '')} image"
    hop = Hop(
        tuple(word.value for word in argv),
        HopKind.SCRIPT,
        name,
        Effect.REPLACES if rest else Effect.UNKNOWN,
        f"{title} execs its arguments" if rest else f"what {title} starts without arguments is not known",
        span=argv[0].span or context.span,
        pid_1=context.pid_1,
        signal=context.signal,
    )
    return Step(hop, rest or None)


def changes_line_ends(image: Image) -> bool:
    """Whether a step of the build may take the carriage returns out: `dos2unix`, `sed -i 's/\\r$//'`, `tr -d '\\r'`."""
    stages = image.stage.lineage() if image.stage is not None else ()
    runs = (item.value for stage in stages for item in stage.instructions if item.name == "RUN")
    return any("dos2unix" in text or "\\r" in text or "\\015" in text for text in runs)
