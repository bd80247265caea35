r"""A CMD or ENTRYPOINT that was meant as a JSON array and is none.

## What it does
Reports a CMD or ENTRYPOINT whose argument begins like the exec form and is not valid JSON: single or curly quotes,
words without quotes, a comma too many or too few, a missing bracket. Shell tests (`[ "$X" = 1 ] && …`) are left alone.

## Why is this bad?
Docker does not complain. What is not JSON is shell form: `CMD ['node', 'server.js']` starts
`/bin/sh -c "['node', 'server.js']"`, and the shell looks for a command named `[node,`. An array of anything but strings
stops the build.

## Example
```dockerfile bad path=Dockerfile
FROM nginx:1.27
CMD ['nginx', '-g', 'daemon off;']
```
Use instead:
```dockerfile good path=Dockerfile
FROM nginx:1.27
CMD ["nginx", "-g", "daemon off;"]
```

## Fix safety
The fix writes the array that was meant. A word such as `$PORT` without quotes was meant to be expanded, which an array
never does: there the fix is `exec` in shell form. Where the words cannot be told for certain, nothing is changed.

## References
- [Dockerfile reference: shell and exec form](https://docs.docker.com/reference/dockerfile/#shell-and-exec-form)
- [JSON](https://www.json.org/)
"""

from collections.abc import Iterator

from gracelint import Applicability, Edit, Finding, Fix, Instruction, Severity, Stage, edits, rule

_SHELL_SYNTAX = frozenset(("&&", "||", "|", "&", ";", ">", ">>", "<", "2>&1"))
_BUILTINS = frozenset((".", "cd", "eval", "exec", "export", "set", "source", "trap", "ulimit", "umask"))


@rule("malformed-exec-form", severity=Severity.ERROR, subject=Stage, about=("broken_commands",))
def malformed_exec_form(stage: Stage) -> Iterator[Finding]:
    for instruction in stage.broken_commands:
        broken = instruction.broken_array
        if broken is None or stage.windows:
            continue
        text = " ".join(instruction.argument.text.split())
        shown = text if len(text) <= 60 else f"{text[:57]}…"
        outcome = "the build stops" if broken.rejected else _outcome(stage, instruction)
        yield Finding(
            f"`{shown}` is no JSON array of strings ({broken.defect}): {outcome}",
            at=broken.span if broken.span.text.strip() else instruction.span,
            fix=_fix(stage, instruction),
        )


def _outcome(stage: Stage, instruction: Instruction) -> str:
    entrypoint = next((item for one in stage.lineage() if (item := one.own("ENTRYPOINT")) is not None), None)
    if instruction.name == "CMD" and entrypoint is not None and entrypoint.argv:
        return f'the arguments of `{entrypoint.argv[0].value}` are `/bin/sh -c "…"`, not these words'
    return "Docker hands it to a shell, which ends at once with an error"


def _fix(stage: Stage, instruction: Instruction) -> Fix:
    changes = _changes(stage, instruction)
    if changes is None:
        return Fix("Write the command as a JSON array of strings in double quotes", (), Applicability.MANUAL)
    return Fix("Write the array that was meant", changes, Applicability.SAFE)


def _changes(stage: Stage, instruction: Instruction) -> tuple[Edit, ...] | None:
    items = instruction.broken_array.items if instruction.broken_array else None
    if not items or items[0][0] in _BUILTINS or any(word in _SHELL_SYNTAX for word, _ in items):
        return None
    changes: tuple[Edit, ...] | None = None
    if not any("$" in word and not quoted for word, quoted in items):
        changes = edits.dockerfile.to_exec_form(instruction, [word for word, _ in items])
    elif instruction.name == "CMD" or not stage.own("CMD"):
        changes = edits.dockerfile.to_shell_form(instruction, items)
    return changes
