"""The engine's own findings, described as rules are."""

from __future__ import annotations

from gracelint.finding import Finding, Severity
from gracelint.rules import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def _nothing(_: object) -> Iterator[Finding]:
    return iter(())


def _own(name: str, severity: Severity, doc: str) -> Rule:
    return Rule(name, severity, type(None), _nothing, doc)


_UNREADABLE = """\
A file that is no text.

## What it does
Reports Dockerfiles and manifests that cannot be read: no permission, binary content, more than 10 MB, or an encoding
other than UTF-8 where the tools that read the file accept nothing else.

## Why is this bad?
Whatever is in it was not judged.
"""

_SYNTAX = """\
A file that its own tool would refuse.

## What it does
Reports Dockerfiles, manifests and Compose files that cannot be parsed, at the place where reading failed. All other
files are still linted. A file such as `Dockerfile.append` that has no FROM is information: a build puts it together
with others. So is an empty Dockerfile, which nobody builds yet.

## Why is this bad?
BuildKit, kubectl or Compose will refuse it too, and nothing in it was judged.
"""

_TEMPLATED = """\
A manifest that is still a template.

## What it does
Reports manifests with template actions (`{{ … }}`) outside of strings, and those that cannot be parsed and whose name
says that they are templates (`compose.template.yml`, `web.ftl.yaml`). They are skipped, never half read.

## Why is this bad?
It is not; but what the cluster will get is not in this file. Render it and lint the result:

    helm template my-release ./chart | gracelint check -
"""

_UNREAD = """\
Objects that are not seen.

## What it does
Says which objects of a chart cannot be evaluated, and which releases, remote bases and charts from a registry are not
in this repository: one finding for each chart, release or base.

## Why is this bad?
It is not; but no finding here does not mean that nothing is wrong there.
"""

_UNUSED = """\
A suppression that silences nothing.

## What it does
Reports a name in a `# gracelint: ignore[…]` comment or a `gracelint/ignore` annotation whose rule ran and found nothing
there.

## Why is this bad?
It would silence the next defect that comes to stand there.

## Fix safety
Removing the comment is safe. Annotations are left to you.

## Options
Comments hold for their own line or, on a line of their own, for the line below. In a Dockerfile they stand on a line
of their own and hold for the whole instruction below. JSON has no comments: use `per-file-ignores` in the
configuration, or the annotation `gracelint/ignore: "rule-name, …"` on the Kubernetes object.
"""

_UNKNOWN = """\
A suppression of a rule that does not exist.

## What it does
Reports a name in a `# gracelint: ignore[…]` comment or a `gracelint/ignore` annotation that no rule has.

## Why is this bad?
It silences nothing: a typing error, or a rule of a pack that is not configured.
"""

_MALFORMED = """\
A suppression that is spelled wrong.

## What it does
Reports comments that are meant to silence a rule and do not: `# gracelint: ignore` without brackets,
`# gracelint: ignored[…]`, `# gracelint ignore=…`, one behind an instruction of a Dockerfile, and the like.

## Why is this bad?
Whoever wrote it believes that the finding is silenced, or that it has been looked at.

## Options
The one spelling is `# gracelint: ignore[rule-name, rule-name] reason`, with `//` in JavaScript and TypeScript.
"""

_UNREASONED = """\
A suppression that gives no reason.

## What it does
Reports `# gracelint: ignore[…]` comments with nothing behind the bracket. Runs with `--require-reason`, or
`require-reason = true` in the settings.

## Why is this bad?
Nobody who comes later can tell whether the reason still holds.
"""

OWN = {
    rule.name: rule
    for rule in (
        _own("unreadable-file", Severity.ERROR, _UNREADABLE),
        _own("syntax-error", Severity.ERROR, _SYNTAX),
        _own("templated-manifest", Severity.INFO, _TEMPLATED),
        _own("unread-manifest", Severity.INFO, _UNREAD),
        _own("unused-suppression", Severity.WARNING, _UNUSED),
        _own("unknown-rule-in-suppression", Severity.WARNING, _UNKNOWN),
        _own("malformed-suppression", Severity.WARNING, _MALFORMED),
        _own("suppression-without-reason", Severity.WARNING, _UNREASONED),
    )
}
