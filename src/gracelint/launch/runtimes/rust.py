"""From a started binary to what it is built from, by the `cargo build`, `cargo install` or `rustc` that makes it."""

from __future__ import annotations

import posixpath
from itertools import pairwise

from gracelint.base.posix import join, normal
from gracelint.base.record import Record
from gracelint.launch.images import layers
from gracelint.launch.images.image import find_path
from gracelint.launch.images.packages import commands
from gracelint.launch.runtimes.go import put_in, targets
from gracelint.launch.runtimes.programs import program_step, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.behaviour.rust import Manifest
    from gracelint.facts.dockerfile import Stage
    from gracelint.launch.step import Context, Step
    from gracelint.source import Word

_VALUES = frozenset(
    [
        "--target",
        "--target-dir",
        "--manifest-path",
        "--bin",
        "-p",
        "--package",
        "--features",
        "-F",
        "--profile",
        "--root",
        "--path",
        "-j",
        "--jobs",
        "--message-format",
        "--color",
        "--config",
        "-Z",
        "--example",
        "--version",
        "--git",
    ]
)
_BUILDS = ("build", "b", "install", "zigbuild", "auditable", "rustc")


class _Command(Record):
    words: tuple[str, ...]
    folder: str
    """Where it runs."""
    env: dict[str, str]
    mounted: bool
    """The sources are mounted, not copied."""

    def option(self, *names: str) -> str | None:
        for index, word in enumerate(self.words):
            name, equals, value = word.partition("=")
            if name in names and name in _VALUES:
                return value if equals else "".join(self.words[index + 1 : index + 2])
        return None

    @property
    def is_of_one_file(self) -> bool:
        return self.words[0] == "rustc"

    @property
    def names_a_crate(self) -> bool:
        """Whether it installs what is published, not a package of the project."""
        words = self.words[self.words.index("install") + 1 :]
        pairs = zip(("", *words), words)  # noqa: B905 -- each with the word before it
        given = any(not word.startswith("-") and before not in _VALUES for before, word in pairs)
        return given and self.option("--path") is None


def built(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What a binary does that cargo makes in this image; None where none makes it."""
    image = context.image
    if image.stage is None or image.context is None:
        return None
    missing: str | None = None
    path = argv[0].value
    own = () if "/" in path else (f"/usr/local/cargo/bin/{path}", f"/root/.cargo/bin/{path}")
    for target in (*targets(path, context), *own):
        for stage, at in layers.made_in(image.stage, target):
            for command in _builds(stage):
                if not _makes(command, at):
                    continue
                found = _read(argv, posixpath.basename(at), command, stage, context)
                if not isinstance(found, str):
                    return found
                missing = missing or found
    return unknown(argv, context, missing) if missing is not None else None


def run(argv: tuple[Word, ...], context: Context) -> Step | None:
    """`cargo run`, which builds a binary and replaces itself with it."""
    words = tuple(word.value for word in argv)
    if "run" not in words[1:3] and "r" not in words[1:3]:
        return None
    command = _Command(words, context.working_dir, {}, False)
    folder = find_path(context.image, context.files, _folder(command), context.working_dir)
    if folder is None:
        return unknown(argv, context, f"{_folder(command)}, which `cargo run` builds, is not in the project")
    found = _of_folder(argv, command.option("--bin"), command, folder, context)
    return unknown(argv, context, found) if isinstance(found, str) else found


def _builds(stage: Stage) -> Iterator[_Command]:
    """The commands of cargo and rustc in a stage and its parents that make binaries, the last ones first."""
    for one in stage.lineage():
        found: list[_Command] = []
        working_dir = layers.first_working_dir(one)
        env = dict(one.arguments or {})
        for item in one.instructions:
            if item.name == "WORKDIR":
                working_dir = normal(join(working_dir, put_in(item.value, env)))
            if item.name != "RUN" or ("cargo" not in item.whole and "rustc" not in item.whole):
                continue
            mounted = "type=bind" in item.argument.text or any("type=bind" in flag for flag in _flags(item))
            folder, its = working_dir, env
            for line in commands(item):
                words = [put_in(word, its) for word in line]
                while words and ("=" in words[0] or words[0] in ("env", "time", "exec")):
                    name, equals, value = words.pop(0).partition("=")
                    its = {**its, name: value} if equals else its
                if words[:1] == ["cd"] and len(words) > 1:
                    folder = normal(join(folder, words[1]))
                elif words[:1] == ["rustc"] or (words[:1] == ["cargo"] and any(one in _BUILDS for one in words[1:4])):
                    found.append(_Command(tuple(words), folder, its, mounted))
        yield from reversed(found)


def _flags(item: object) -> list[str]:
    return [str(flag) for flag in getattr(item, "flags", ())]


def _folder(command: _Command) -> str:
    given = command.option("--manifest-path")
    if given is not None:
        return normal(join(command.folder, posixpath.dirname(given)))
    return normal(join(command.folder, command.option("--path") or "."))


def _makes(command: _Command, at: str) -> bool:
    if command.is_of_one_file:
        return _compiled(command) is not None and _output(command) == at
    folder = posixpath.dirname(at)
    if "install" in command.words[1:3]:
        if command.names_a_crate:
            return False
        home = command.env.get("CARGO_HOME") or "/usr/local/cargo"
        root = command.option("--root") or command.env.get("CARGO_INSTALL_ROOT") or home
        return folder in {join(normal(join(command.folder, root)), "bin"), join(home, "bin"), "/root/.cargo/bin"}
    if command.option("--bin") not in (None, posixpath.basename(at)):
        return False
    given = command.option("--target-dir") or command.env.get("CARGO_TARGET_DIR")
    start = _folder(command)
    tops = [normal(join(command.folder, given))] if given else [join(_up(start, n), "target") for n in (0, 1, 2)]
    return any(folder.startswith(f"{top}/") and folder.count("/") - top.count("/") <= 2 for top in tops)


def _compiled(command: _Command) -> str | None:
    """The file that rustc is given: the only word of its kind."""
    found = [word for word in command.words[1:] if word.endswith(".rs")]
    return found[0] if len(found) == 1 and not _links(command) else None


def _links(command: _Command) -> bool:
    """Whether it takes in crates that were compiled before it."""
    return any(word.startswith("--extern") for word in command.words)


def _output(command: _Command) -> str:
    """Where rustc writes the binary: named after its file where it is not told."""
    words = command.words
    given = next((after for word, after in pairwise(words) if word == "-o"), None)
    folder = next((after for word, after in pairwise(words) if word == "--out-dir"), "")
    name = posixpath.basename(_compiled(command) or "").removesuffix(".rs")
    return normal(join(command.folder, given if given is not None else posixpath.join(folder, name)))


def _up(folder: str, times: int) -> str:
    for _ in range(times):
        folder = posixpath.dirname(folder)
    return folder


def _read(argv: tuple[Word, ...], name: str, command: _Command, stage: Stage, context: Context) -> Step | str:
    build_context = context.image.context
    assert build_context is not None
    file = _compiled(command) if command.is_of_one_file else None
    place = _folder(command) if file is None else posixpath.dirname(normal(join(command.folder, file)))
    found = layers.origin(stage, context.files, build_context, place)
    folder = found if isinstance(found, str) else None
    if folder is None and found is None:
        folder = layers.folder_of_files(stage, context.files, build_context, place)
    if folder is None and command.mounted:
        folder = build_context
    if folder is None:
        return f"{place}, which {command.words[0]} builds, is not in the project"
    if file is not None:
        return _of_file(argv, posixpath.basename(file), "" if folder == "." else folder, context)
    return _of_folder(argv, name, command, "" if folder == "." else folder, context)


def _of_folder(
    argv: tuple[Word, ...], name: str | None, command: _Command, folder: str, context: Context
) -> Step | str:
    from gracelint.behaviour.rust import members, read_rust

    wanted = command.option("-p", "--package")
    packages = [one for one in members(context.files, folder) if wanted in (None, one.name)]
    if not packages:
        return f"there is no Cargo.toml of a package in {folder or 'the root folder'}"
    fitting = [one for one in packages if name in one.bins] if name is not None else _sole(packages)
    if len(fitting) != 1:
        return f"no crate in {folder or 'the root folder'} has a binary {name or 'of its own'}"
    of: Manifest = fitting[0]
    path = of.bins[name] if name is not None else next(iter(of.bins.values()))
    words = tuple(word.value for word in argv)
    program = read_rust(
        of.folder, path, files=context.files, argv=words, env=context.env, effort=context.followed.effort
    )
    return program if isinstance(program, str) else program_step(argv, program, context)


def _of_file(argv: tuple[Word, ...], name: str, folder: str, context: Context) -> Step | str:
    from gracelint.behaviour.rust import read_rust

    words = tuple(word.value for word in argv)
    path = posixpath.join(folder, name)
    program = read_rust(
        folder, path, files=context.files, argv=words, env=context.env, alone=True, effort=context.followed.effort
    )
    return program if isinstance(program, str) else program_step(argv, program, context)


def _sole(packages: list[Manifest]) -> list[Manifest]:
    return [one for one in packages if len(one.bins) == 1]
