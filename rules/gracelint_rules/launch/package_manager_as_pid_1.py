r"""A package manager or script runner between the stop signal and the program.

## What it does
Reports npm, npx, yarn, pnpm, `node --run`, run-p, nodemon and the like where they start a container's program, and
names the script of package.json that is run. It is an error where the signal is ignored or cuts the program short, a
warning where that only drops requests, and information where it gets through, by the version of the package manager
and by the image's shell, or where nobody can tell what becomes of the program.

## Why is this bad?
npm runs a script with `sh -c` and passes SIGTERM to that shell, not to the program in it. Debian's dash dies of it at
once, npm ends, and the program is killed before it has cleaned up; an init in front changes nothing. npm 9.6.7 to
10.2.5 and `node --run` pass no signal on at all: SIGKILL ends everything when the grace period is over. Yarn 1 exits at
once whatever the shell. Besides, a package manager needs time and memory that the program does not.

## Example
```dockerfile bad path=Dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
CMD ["npm", "start"]
```
```json bad path=package.json
{
  "scripts": {
    "start": "node server.js"
  }
}
```
```javascript bad path=server.js
const http = require('http');

const server = http.createServer((req, res) => res.end('hello')).listen(8080);

process.on('SIGTERM', () => {
  setTimeout(() => process.exit(1), 5000).unref();
  server.close(() => process.exit(0));
});
```
Use instead:
```dockerfile good path=Dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
CMD ["node", "server.js"]
```

## Fix safety
A script that is one plain command without `pre` and `post` scripts takes the place of the package manager. That is
unsafe: the variables npm sets (`npm_package_version` and so on) are gone. In other scripts `exec` is put before the
last command, which is safe; where the package manager does not pass the signal on, there is no fix for them.

## References
- [Docker and Node.js best practices](https://github.com/nodejs/docker-node/blob/main/docs/BestPractices.md#cmd)
- [npm: scripts](https://docs.npmjs.com/cli/v11/using-npm/scripts)
"""

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Hop, HopKind, Launch, Note, Severity, Verdict, edits, rule

_BAD = (Verdict.IGNORED, Verdict.CUT)


@rule("package-manager-as-pid-1", severity=Severity.ERROR, subject=Launch, verdict=True, about=("package_managers",))
def package_manager_as_pid_1(launch: Launch) -> Iterator[Finding]:
    hop = launch.manager_to_speak_of
    if hop is None or launch.one_shot:
        return
    passage = hop.details.get("passage")
    yield Finding(
        _message(launch, hop),
        at=edits.words.whole(hop.details.get("words", ())) or hop.span or launch.origin.span,
        notes=(Note(passage.span(0, len(passage.text)), f"the script `{hop.details['script']}`"),) if passage else (),
        fix=_fix(launch, hop),
        severity=_severity(launch, hop),
    )


def _severity(launch: Launch, hop: Hop) -> Severity:
    if launch.verdict is Verdict.HANDLED or (launch.verdict is Verdict.UNKNOWN and not hop.details.get("missing")):
        return Severity.INFO
    return Severity.ERROR if launch.loses_work else Severity.WARNING


def _message(launch: Launch, hop: Hop) -> str:
    passage, decisive = hop.details.get("passage"), launch.decisive
    command = " ".join(hop.argv)
    runs = f"`{command}` runs `{_line(passage.text)}`: " if passage else f"`{command}`: "
    if decisive is None or launch.verdict not in _BAD:
        return f"{runs}{hop.why}{_doubt(launch, hop)}"
    if decisive is not hop and (decisive.kind is not HopKind.SHELL or not launch.is_decided_below(hop)):
        return f"{runs}{hop.why}; {decisive.why}"
    return f"{runs}{decisive.why}; {launch.fate(decisive)}"


def _doubt(launch: Launch, hop: Hop) -> str:
    below = launch.below(hop)
    if launch.verdict is not Verdict.HANDLED:
        return "" if launch.decisive is hop else f"; {launch.why}"
    shell = below is not None and below.kind is HopKind.SHELL and not below.details.get("reached_by_exec")
    return "; it arrives as long as that shell execs the program" if shell else ", which the program does not need"


def _fix(launch: Launch, hop: Hop) -> Fix | None:
    runner, title = launch.worse_runner_behind(hop), "Start the program itself"
    if launch.dev_server:  # what is started without it is the tool that watches the files
        return Fix(f"{title}, as one command", (), Applicability.MANUAL)
    if runner is not None:
        return Fix(f"Start what {runner.name} runs, without it", (), Applicability.MANUAL)
    if launch.verdict is Verdict.CUT and launch.hangs_beyond:
        return Fix(f"{title}, once it ends when it is told to", (), Applicability.MANUAL)
    command, shell = hop.details.get("instead"), launch.script_shell(hop)
    changes = edits.words.replace(hop.details.get("words", ()), command) if command else None
    if changes is not None:
        return Fix(title, changes, Applicability.UNSAFE)
    if shell is not None:
        return edits.script.reach_program(shell)
    return Fix(f"{title}, as one command", (), Applicability.MANUAL)


def _line(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
