"""Why a shell does with the stop signal what it does, in words."""

from __future__ import annotations

from gracelint.base.secrets import MASK, veiled_words
from gracelint.facts.launch import Effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.launch.shell.paths import Event
    from gracelint.launch.shell.traps import Reaction
    from gracelint.launch.step import Context
    from gracelint.source import Word

_REASONS = {
    "exec": "{shell} execs {program}",
    "optimised": "{shell} execs the last command of this text by itself, and becomes {program}",
    "unmeasured": "what {shell} does with {signal} in front of {program} has never been measured",
    "evaluated": "what {shell} evaluates is only known when it runs: {program} may run a program, exec one, or trap",
    "child": "{shell} stays {in_front} of {program}{fate}",
    "idle": "{shell} stays {in_front} of {program}{fate}, and so no signal reaches what runs in the background",
    "execs-idle": "{shell} execs a command that only lasts: {signal} does not reach {program} in the background",
    "stops-services": "the {signal} trap stops the services and waits for them",
    "by-sv": "the {signal} trap stops the services of runsvdir by {program}",
    "services": "whether the {signal} trap gives the services that were started the time they need is not known",
    "pipe": "{shell} stays {in_front} of the pipe with {program}{fate}",
    "wait": "{shell}{as_pid_1} waits for {program} without a trap for {signal}{fate}",
    "refused": "{shell} takes no signal names with SIG, as in `{refused}`: that `trap` or `kill` fails",
    "loop": "the script loops on after {signal}, and never ends",
    "single-wait": "the {signal} trap interrupts `wait`: the script ends, and {program} is killed while it cleans up",
    "errexit": "the {signal} trap makes `wait` fail, and `set -e` ends the script while {program} cleans up",
    "command-fails": "a command fails on {signal}, and `set -e` ends the script while {program} cleans up",
    "trap-exits": "the {signal} trap ends the script without a word to {program}",
    "between-rounds": "the {signal} trap ends the script, which has nothing running",
    "kills-job": "the {signal} trap ends the script, and with it the job that its loop has in the background",
    "in-midst": "whether the {signal} trap ends the script in the middle of a round, which pauses there, is not known",
    "trap-sleeps": "how long the {signal} trap sleeps is not known",
    "after-a-nap": "how long {shell} sleeps before it runs its {signal} trap is not known",
    "trap-waits-for-child": "{shell} runs its {signal} trap only after its foreground child {program} has ended",
    "may-end": "{shell} runs its {signal} trap when {program} has ended: whether it does so by itself is not known",
    "may-tell": "whether {program} in the {signal} trap tells the program to stop is not known",
    "ends-itself": "the {signal} trap waits for {program}: whether that ends by itself is not known",
    "waits-for-the-end": "the {signal} trap waits until {program} has ended by itself",
    "trap-forgets": "the {signal} trap does not tell {program}, and the script goes on waiting for it",
    "waits-for-others": "the trap tells {program}, but the script also waits for jobs that nobody tells to stop",
    "some-jobs": "the trap may not reach every job beside {program}",
    "waits-for-some": "the trap tells several jobs and waits for some: whether the others end sooner is not known",
    "kills-subshell": "the trap signals the subshell around {program}, which passes nothing on",
    "kills": "the {signal} trap sends SIGKILL to {program}",
    "kill-group": "the {signal} trap signals the script's own group, and so itself, before {program} has cleaned up",
    "exit-trap": "with a trap on EXIT, {shell} dies of {signal} at once, even as PID 1, and {program} with it",
    "pipe-breaks": "the whole group gets {signal}: what reads {program}'s output dies first, and the pipe breaks",
    "again": "what the script does once {program} has ended depends on its exit code",
    "ignores": "{shell} ignores {signal}, and does not pass it on to {program}",
    "sleeps": "the trap sleeps after it has told {program}: whether that is long enough is not known",
    "branches": "what the {signal} trap does depends on conditions only known when it runs",
    "forwards": "{shell} passes {signal} on to {program} and waits for it",
}
_LONGEST = 60
"""Characters of a command in a message."""


_DIES = ", and dies of {signal} without passing it on"


def _written(word: Word) -> str:
    """A word as a message shows it: with what its variables hold, unless that is a secret."""
    text = word.span.text.strip("\"'") if word.span is not None else ""
    return text.replace("$$", "$") if "$" in text and MASK in word.value else word.value


def why_of(shell: str, program: Event, reaction: Reaction, context: Context, refused: str) -> str:
    command = " ".join(veiled_words(map(_written, program.words))).replace("\x00", "$")
    shown = command if len(command) <= _LONGEST else f"{command[: _LONGEST - 1]}…"
    return _REASONS[reaction.cause].format(
        shell=shell,
        program=f"`{shown}`" if shown else "what it runs",
        as_pid_1=(" as PID 1," if shell.endswith(",") else ", as PID 1,") if context.pid_1 else "",
        in_front="PID 1 in front" if context.pid_1 else "in front",
        fate=_DIES.format(signal=context.signal) if context.unheard is Effect.CUTS else " and passes no signal on",
        refused=refused,
        signal=context.signal,
    )
