"""What came and what went: the findings of a checkout beside those that were read and judged once.

    python tests/corpus/compare.py PATH_OF_CHECKOUT NAME

NAME.tsv holds the repository and the commit, then one line for each finding: wanted, tolerable or false; the rule; the
path; the line. INFO is not judged. Exit code 1 where something differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
JUDGEMENTS = ("wanted", "tolerable", "false")
Place = tuple[str, str, str]
"""Rule, path and line."""


def recorded(name: str) -> tuple[str, dict[Place, str]]:
    """The commit that was read, and the judgement of each finding."""
    with open(os.path.join(HERE, f"{name}.tsv"), encoding="utf-8") as file:
        head, *lines = file.read().splitlines()
    judged: dict[Place, str] = {}
    for line in lines:
        judgement, rule, path, number = line.split("\t")
        if judgement not in JUDGEMENTS:
            raise SystemExit(f"{name}.tsv: {judgement!r} is none of {', '.join(JUDGEMENTS)}")
        judged[rule, path, number] = judgement
    return head.split()[-1], judged


def found(checkout: str) -> set[Place]:
    """What gracelint says now, but for INFO."""
    command = [sys.executable, "-m", "gracelint", "check", "--no-plugins", "--format", "json", "."]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    findings = json.loads(done.stdout)["findings"]
    return {(item["rule"], item["path"], str(item["line"])) for item in findings if item["severity"] != "info"}


def commit_of(checkout: str) -> str:
    command = ["git", "-C", checkout, "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def main(checkout: str, name: str) -> int:
    commit, judged = recorded(name)
    here = commit_of(checkout)
    if here != commit:
        print(f"{name} was read at {commit}; this is {here or 'no checkout'}", file=sys.stderr)
    now = found(checkout)
    for place in sorted(now - judged.keys()):
        print("came", *place, sep="\t")
    for place in sorted(judged.keys() - now):
        print(f"went ({judged[place]})", *place, sep="\t")
    came, went = now - judged.keys(), judged.keys() - now
    left = [judged[place] for place in judged.keys() & now]
    counts = ", ".join(f"{left.count(judgement)} {judgement}" for judgement in JUDGEMENTS)
    print(f"{name}: {len(left)} as recorded ({counts}), {len(came)} came, {len(went)} went")
    return int(now != judged.keys())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
