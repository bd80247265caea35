"""Which findings are about one defect that stands in several copies.

Overlays, examples of one deployment, folders of variants and rendered manifests repeat what they are made from. Copies
are the same object under the same name but for its numbers, the same base image, the same line of files whose paths
differ in numbers alone, or the same text but for its numbers and comments. What one change mends is one defect too.
"""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.facts.kubernetes import Workload
from gracelint.facts.launch import Launch
from gracelint.finding import Finding
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

    from gracelint.facts.compose import ComposeService

_NUMBERS = pattern(r"[0-9]+(?:[.][0-9]+)*")
_COMMENTS = pattern(r"(?m)^[ \t]*(?:#(?!!)|//).*$")


class Copies:
    """What findings are compared by. Each text is read once."""

    def __init__(self) -> None:
        self._shapes: dict[int, tuple[Source, str]] = {}
        self._identities: dict[int, tuple[Workload, tuple[Hashable, ...]]] = {}

    def keys(self, rule: str, finding: Finding, subject: object) -> tuple[Hashable, ...]:
        """Findings about copies of one defect have one of these in common."""
        mended = (rule, finding.fix.edits) if finding.fix is not None and finding.fix.edits else None
        return (*self._alike(rule, finding, subject), *((mended,) if mended else ()))

    def _alike(self, rule: str, finding: Finding, subject: object) -> tuple[Hashable, ...]:
        at = finding.at
        if isinstance(subject, Workload):
            return ((rule, said(finding, subject), numberless(at.text), self._identity(subject)),)
        if isinstance(subject, Launch) and at.source in (subject.origin.source, subject.origin.span.place.source):
            if subject.workload is not None:
                return ((rule, finding.message, at.text, subject.origin.container, self._identity(subject.workload)),)
            if subject.service is not None:
                return ((rule, finding.message, shape(at.text), *_service(subject.service)),)
        line, path = shape(_lines(at)), at.source.path
        told = (rule, finding.message, line)
        if isinstance(subject, Launch) and line.startswith("FROM"):
            return (told,)
        return (*told, numberless(path)), (*told, path.rpartition("/")[2], self._shape(at.source))

    def owner(self, finding: Finding, subject: object) -> int:
        """Whose repetitions are no copies of each other: a container's, an object's, else a file's."""
        return id(subject if isinstance(subject, (Launch, Workload)) else finding.at.source)

    def _shape(self, source: Source) -> str:
        found = self._shapes.get(id(source))
        if found is None:
            found = self._shapes[id(source)] = (source, shape(source.text))
        return found[1]

    def _identity(self, workload: Workload) -> tuple[Hashable, ...]:
        """The object that a manifest is about: its kind, its name, and the programs it runs, whatever their tags."""
        if id(workload) not in self._identities:
            mains = (container for container in workload.containers if container.role == "main")
            images = [container.image.value if container.image else "" for container in mains]
            names = sorted(numberless(_image_name(image)) for image in images)
            self._identities[id(workload)] = workload, (workload.kind, _numbered(workload.name), *names)
        return self._identities[id(workload)][1]


def said(finding: Finding, subject: object) -> str:
    """A message, of a manifest without its numbers: `app1` and `app2` are told the same."""
    return numberless(finding.message) if isinstance(subject, Workload) else finding.message


def numberless(text: str) -> str:
    return _NUMBERS.sub("0", text)


def shape(text: str) -> str:
    """A text without what copies of it differ in: comments, numbers and layout."""
    return "".join(numberless(_COMMENTS.sub("", text)).split())


def _numbered(name: str) -> str:
    """The name that a series has in common: `web` of `web`, `web2` and `web-3`."""
    return numberless(name).rstrip("0").rstrip("-")


def _service(service: ComposeService) -> tuple[Hashable, ...]:
    """What a Compose service is: its name, what it is built from or whose image it is, and what it is told to run."""
    image = _image_name(service.image.value) if service.image else ""
    build = (service.build.context, service.build.target) if service.build else None
    run = ([word.value for word in words] for words in (service.entrypoint or (), service.command or ()))
    return service.name, image, build, *(shape(" ".join(words)) for words in run)


def _image_name(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _lines(at: Span) -> str:
    """The whole lines that a place stands on."""
    text = at.source.text
    end = text.find("\n", at.end)
    return text[text.rfind("\n", 0, at.start) + 1 : end if end >= 0 else len(text)]
