"""Images that Maven and Gradle builds make, with a Dockerfile or without: jib, buildpacks, Docker plugins."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from gracelint.base.posix import upwards
from gracelint.base.record import replace
from gracelint.launch.builds import is_jvm_file
from gracelint.launch.builds.declared import UNKNOWN, Build, link_to
from gracelint.launch.images.bases import image_named
from gracelint.launch.images.names import Link
from gracelint.launch.runtimes.jvm.modules import Module, module_at
from gracelint.launch.runtimes.jvm.sources import main_class
from gracelint.parse.maven import put_in
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gracelint.facts.files import Files
    from gracelint.facts.launch import Image
    from gracelint.parse.xml import Element
    from gracelint.source import Span

_MOST = 3_000
"""Projects of one repository."""
_DEEPEST = 5
_SKIPPED = frozenset(("node_modules", "target", "build", "vendor", "dist"))
_JIB = ("com.google.cloud.tools:jib-maven-plugin", "com.google.cloud.tools.jib")
_BOOT = ("org.springframework.boot:spring-boot-maven-plugin", "org.springframework.boot")
_RUNNERS = frozenset(("docker", "podman", "nerdctl", "buildah"))
_TEXT = re.compile(r"""\"([^"\n]*)\"|'([^'\n]*)'""")
_QUOTED = r"""(?:"[^"\n]*"|'[^'\n]*')"""
_LISTED = re.compile(rf"(?:\[|[\w.]*[lL]ist(?:Of)?\()\s*{_QUOTED}\s*(?:,\s*{_QUOTED}\s*)*(?:,\s*)?[\])]")
_SPLIT = re.compile(rf"({_QUOTED})(\.split\(({_QUOTED})?\))?\s*$")
"""A text, or one that is split at blanks or at another text."""
_DEFAULT_BASE = "eclipse-temurin:17-jre"
"""jib's own, of which only the shell and the family matter."""


def modules(files: Files) -> tuple[Module, ...]:
    """The projects of all Maven and Gradle builds of the repository that make something of sources."""
    return tuple(module for module in _all_modules(files) if not module.aggregates)


@lru_cache(maxsize=4)
def _all_modules(files: Files) -> tuple[Module, ...]:
    found: list[Module] = []
    whole: set[str] = set()
    """Folders of projects that hold no others."""
    for folder in sorted(_folders(files))[:_MOST]:
        module = module_at(files, folder) if whole.isdisjoint(upwards(folder)) else None
        if module is not None:
            found.append(module)
            if folder and not module.aggregates and "src/" in files.names(folder):
                whole.add(folder)
    return tuple(found)


def _folders(files: Files) -> set[str]:
    """Those of all build files, but for what stands where builds put what they make."""
    folders = {posixpath.dirname(path) for path in files.listed("") if is_jvm_file(path)}
    parts = ((folder, folder.split("/")) for folder in folders)
    return {
        folder
        for folder, names in parts
        if len(names) <= _DEEPEST and _SKIPPED.isdisjoint(names) and not any(name.startswith(".") for name in names)
    }


def builds(files: Files, exists: Callable[[str], bool]) -> Iterator[Build]:
    """The images that the builds name, each with its Dockerfile, else with the build file that makes it."""
    for module in _all_modules(files):
        own = Link(module.source.path, "built", module.folder)
        for name in _names(module) if not module.aggregates else ():
            yield Build(name, own)
        for element in module.elements:
            yield from _by_docker(element, module, exists)


def by_themselves(files: Files) -> dict[str, Link]:
    """The projects that make images without a Dockerfile, by the names that are theirs alone: artifacts and folders."""
    found: dict[str, list[Module]] = {}
    for module in modules(files):
        if module.has(_JIB):
            for name in {posixpath.basename(module.folder), module.properties.get("artifactId", "")}:
                found.setdefault(name, []).append(module)
    return {name: Link(ones[0].source.path, "named", ones[0].folder) for name, ones in found.items() if len(ones) == 1}


def _names(module: Module) -> Iterator[str]:
    """What jib and Spring Boot's `build-image` call their images."""
    for element in module.elements:
        artifact = element.value("artifactId")
        if artifact == "jib-maven-plugin":
            yield from _text(element.value("configuration", "to", "image"), module)
        elif artifact == "spring-boot-maven-plugin":
            yield from _text(element.value("configuration", "image", "name"), module)
    for key in ("jib.to.image", "image", "quarkus.container-image.image", "spring-boot.build-image.imageName"):
        if key in module.properties and (key != "image" or module.has(_JIB)):
            yield from _text(module.properties[key], module)
    for key in ("image", "packed"):
        if key in module.names and module.has((*_JIB, *_BOOT)):
            yield from _text(module.names[key], module)


def _text(text: str, module: Module) -> Iterator[str]:
    """An image's name with properties put in; what is not known stands as `*`."""
    name = re.sub(r"\$\{[^}]*\}|\$\w+", UNKNOWN, put_in(text, module.properties)).removeprefix("docker://")
    if name.strip(UNKNOWN + "/:."):
        yield name


def _by_docker(element: Element, module: Module, exists: Callable[[str], bool]) -> Iterator[Build]:
    """Plugins that build with Docker: fabric8's and Spotify's, and `docker build` by exec-maven-plugin."""
    artifact = element.value("artifactId")
    here = module.folder
    if artifact == "docker-maven-plugin":
        for image in element.all("configuration", "images", "image"):
            if image.value("build", "from"):
                own = Link(module.source.path, "built", module.folder)
                yield from (Build(name, own) for name in _text(image.value("name"), module))
                continue
            context = image.value("build", "contextDir") or image.value("build", "dockerFileDir")
            file = posixpath.basename(image.value("build", "dockerFile")) or "Dockerfile"
            yield from _linked(image.value("name"), context or "src/main/docker", file, (), here, module, exists)
    elif artifact in ("dockerfile-maven-plugin", "docker-maven"):
        yield from _linked(element.value("configuration", "repository"), "", "Dockerfile", (), here, module, exists)
    elif artifact == "exec-maven-plugin":
        for configuration in (*element.all("configuration"), *element.all("executions", "execution", "configuration")):
            words = [put_in(one.text, module.properties) for one in configuration.all("arguments", "argument")]
            tool = put_in(configuration.value("executable"), module.properties)
            if posixpath.basename(tool) in _RUNNERS and "build" in words:
                folder = put_in(configuration.value("workingDirectory"), module.properties) or here
                for place in (posixpath.normpath(folder), *_copied_from(module)):
                    yield from _built(words, place, module, exists)


def _copied_from(module: Module) -> Iterator[str]:
    """The folders that maven-resources-plugin copies to where `docker build` runs."""
    for element in module.elements:
        if element.value("artifactId") == "maven-resources-plugin":
            for resource in element.all("executions", "execution", "configuration", "resources", "resource"):
                folder = put_in(resource.value("directory"), module.properties)
                if folder and "$" not in folder:
                    yield posixpath.normpath(posixpath.join(module.folder, folder))


def _built(words: list[str], folder: str, module: Module, exists: Callable[[str], bool]) -> Iterator[Build]:
    from gracelint.launch.builds.commands import arguments

    given = arguments(words[words.index("build") + 1 :])
    context = given["context"][-1] if given["context"] else "."
    context = folder if context == "." and folder != module.folder else context
    file = posixpath.normpath(posixpath.join(folder, given["file"][-1] if given["file"] else "Dockerfile"))
    values = tuple((name, value) for name, _, value in (item.partition("=") for item in given["argument"]))
    for name in given["tag"]:
        # the project's folder is given as a path from the root
        link = link_to(context, posixpath.relpath(file, context), None, values)
        if link is not None and exists(link.dockerfile):
            yield from (Build(image, link) for image in _text(name, module))


def _linked(
    name: str,
    context: str,
    file: str,
    values: tuple[tuple[str, str], ...],
    folder: str,
    module: Module,
    exists: Callable[[str], bool],
) -> Iterator[Build]:
    place = put_in(context, module.properties)
    place = place if place.startswith(folder) and folder else posixpath.join(folder, place)
    link = link_to(place or ".", file, None, values)
    if name and link is not None and exists(link.dockerfile):
        yield from (Build(image, link) for image in _text(name, module))


def image_built_by(files: Files, link: Link) -> Image | None:
    """What jib, or a buildpack, makes of a project: `java` with its class path and the main class as PID 1; or what
    fabric8's plugin is told to start."""
    module = module_at(files, link.context or "")
    if module is None:
        return None
    described = [image for one in module.elements for image in _described(one)]
    if described:
        return _image_described(described[0], module) if len(described) == 1 else None
    plugins = [one for one in module.elements if one.value("artifactId") == "jib-maven-plugin"]
    jib = next((one for one in plugins if one.first("configuration") is not None), None)
    base = jib.value("configuration", "from", "image") if jib is not None else module.names.get("from", "")
    image = image_named(put_in(base, module.properties) or _DEFAULT_BASE)
    flags = (
        [one.text for one in jib.all("configuration", "container", "jvmFlags", "jvmFlag")] if jib is not None else []
    )
    main = module.names.get("main") or main_class(files, module.folder) or "Main"
    artifact = jib.first("artifactId") if jib is not None else None
    at = artifact.span if artifact is not None else module.source.span(0, 0)
    words = ("java", *flags, "-cp", "/app/resources:/app/classes:/app/libs/*", main)
    env = dict(image.env)
    if jib is not None:
        for one in jib.all("configuration", "container", "environment"):
            env |= {item.name: item.text for item in one.children}
    own = _own_entrypoint(jib, module)
    entrypoint = image.entrypoint if own == ["INHERIT"] else _words(words if own is None else own, module, at)
    added = tuple(_added(files, module, jib))
    image = replace(image, mounts=added, context=module.folder, env=env, working_dir="/")
    return replace(image, entrypoint=entrypoint, cmd=() if entrypoint is not None else None)


def _described(element: Element) -> Iterator[Element]:
    """The images that fabric8's plugin makes without a Dockerfile."""
    if element.value("artifactId") == "docker-maven-plugin":
        images = element.all("configuration", "images", "image", "build")
        yield from (image for image in images if image.value("from"))


def _image_described(build: Element, module: Module) -> Image:
    image = image_named(put_in(build.value("from"), module.properties))
    image = replace(image, context=module.folder, working_dir=build.value("workdir") or image.working_dir)
    entrypoint = _started(build.first("entryPoint"), module)
    cmd = _started(build.first("cmd"), module)
    if entrypoint is None:
        return image if cmd is None else replace(image, cmd=cmd)
    return replace(image, entrypoint=entrypoint, cmd=cmd)


def _started(element: Element | None, module: Module) -> tuple[Word, ...] | None:
    """The words of an `entryPoint` or `cmd`: an array, elements of an `exec`, or a text for the shell."""
    if element is None:
        return None
    words = [one.text for one in element.all("exec", "arg")]
    text = element.value("shell") or element.text
    listed = _LISTED.fullmatch(text.strip())
    if listed is not None:
        words = [one or other for one, other in _TEXT.findall(text)]
    return _words(words or ("/bin/sh", "-c", text), module, element.span)


def _words(words: Iterable[str], module: Module, at: Span) -> tuple[Word, ...] | None:
    return tuple(Word(put_in(word, module.properties), at) for word in words) or None


def _own_entrypoint(jib: Element | None, module: Module) -> list[str] | None:
    """The words that jib is told to start in the place of `java`; none where they cannot be read."""
    given = jib.first("configuration", "container", "entrypoint") if jib is not None else None
    if given is not None:
        return [one.text for one in given.children] or given.text.split(",")
    text = module.names.get("entrypoint")
    if text is None:
        return None
    listed = _LISTED.match(text)
    if listed is not None:
        return [one or other for one, other in _TEXT.findall(listed[0])]
    one = _SPLIT.match(text)
    if one is None:
        return []
    whole, separator = one[1][1:-1], one[3][1:-1] if one[3] else None
    return whole.split((separator or "").strip() or None) if one[2] else [whole]


def _added(files: Files, module: Module, jib: Element | None) -> Iterator[tuple[str, str]]:
    """What jib puts into the root of the image beside the program."""
    paths: list[str] = []
    if jib is not None:
        inside = jib.first("configuration", "extraDirectories", "paths")
        found = [one.value("from") or one.text for one in inside.children] if inside is not None else []
        paths = found or ([inside.text] if inside is not None else [])
    elif "extra" in module.names:
        paths = [module.names["extra"]]
    for path in paths or ["src/main/jib"]:
        place = posixpath.normpath(posixpath.join(module.folder, put_in(path, module.properties)))
        names = [name.rstrip("/") for name in files.names(place)] if "$" not in place else []
        yield from ((posixpath.join(place, name), f"/{name}") for name in names)
