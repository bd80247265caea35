"""`gracelint rules` and `gracelint explain`: what the rules say of themselves."""

from __future__ import annotations

from gracelint.config import ConfigError, did_you_mean
from gracelint.rules import GROUPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gracelint.rules import Rule

    Listed = Sequence[tuple[str, Rule]]


def table(rules: Listed, fmt: str, columns: int | None = None) -> str:
    if fmt == "json":
        import json

        return json.dumps(
            [
                {
                    "name": rule.name,
                    "group": group,
                    "severity": rule.severity.value,
                    "strict": rule.strict,
                    "since": rule.since,
                    "summary": summary(rule),
                    "options": dict(rule.options),
                }
                for group, rule in rules
            ],
            indent=2,
            ensure_ascii=False,
        )
    return "\n\n".join(
        _group(rules, group, columns) for group in dict.fromkeys((*GROUPS, *(each for each, _ in rules)))
    )


def _group(rules: Listed, group: str, columns: int | None) -> str:
    """The rules of one group, cut to what fits into a line where that is known."""
    widest = max(len(rule.name) for _, rule in rules)
    lines = [group]
    for rule in (rule for its, rule in rules if its == group):
        strict = "  (strict)" if rule.strict else ""
        told = summary(rule)
        room = columns - widest - 13 - len(strict) if columns is not None else len(told)
        if len(told) > max(room, 20):
            told = told[: max(room, 20) - 1] + "…"
        lines.append(f"  {rule.name:<{widest}}  {rule.severity.value:<7}  {told}{strict}")
    return "\n".join(lines)


def explain(rules: Listed, name: str, *, color: bool) -> str:
    found = next(((group, rule) for group, rule in rules if rule.name == name), None)
    if found is None:
        raise ConfigError(f"no rule is named {name!r}{_meant(name, rules)}")
    group, rule = found
    facts = f"{group} · {rule.severity.value} · since {rule.since}" + (" · only with --strict" if rule.strict else "")
    options = "".join(f"- `{option}` (default {value!r})\n" for option, value in rule.options.items())
    page = f"# {rule.name}\n\n{facts}\n\n{rule.doc.strip()}\n"
    if options:
        page += f"\nSet below `[tool.gracelint.rules.{rule.name}]`:\n\n{options}"
    return _rendered(page) if color else page.rstrip("\n")


def _meant(name: str, rules: Listed) -> str:
    if any(name == group for group, _ in rules):
        return ": it is a group, which `gracelint rules` lists"
    return did_you_mean(name, [rule.name for _, rule in rules])


def summary(rule: Rule) -> str:
    """The first line of its documentation."""
    return rule.doc.strip().partition("\n")[0]


def _rendered(page: str) -> str:
    from io import StringIO

    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    # Code in the terminal's own colours: those of a dark theme are black on black where the terminal is light.
    written, theme = StringIO(), Theme({"markdown.code": "bold"})
    Console(file=written, force_terminal=True, theme=theme).print(Markdown(page, code_theme="ansi_dark"))
    return written.getvalue().rstrip("\n")
