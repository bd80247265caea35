"""Names and numbers of signals, as container engines and shells write them."""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.knowledge import table


def signal_name(text: str) -> str | None:
    """`15`, `term` and `SIGTERM` → `SIGTERM`; None for what is no signal."""
    text = text.strip()
    if text == "SIGTERM":
        return text
    if is_whole(text):
        return _name(int(text)) if len(text) < 4 else None
    name = text.upper()
    name = name if name.startswith("SIG") else f"SIG{name}"
    name = table("signals")["aliases"].get(name, name)
    number = signal_number(name)
    return _name(number) if number is not None else None


def signal_number(name: str) -> int | None:
    """The number of a signal's full name, SIGRTMIN+n and SIGRTMAX-n included."""
    signals = table("signals")
    number: int | None = signals["numbers"].get(name)
    if number is not None or not name.startswith("SIGRTM"):
        return number
    first, last = signals["real_time"]
    base, sign, offset = (first, "+", name[8:]) if name.startswith("SIGRTMIN") else (last, "-", name[8:])
    if name[:8] not in ("SIGRTMIN", "SIGRTMAX"):
        return None
    if not offset:
        return int(base)
    if offset[0] != sign or not is_whole(offset[1:]) or len(offset) > 3:
        return None
    number = base + int(sign + offset[1:])
    return number if first <= number <= last else None


def nearest_signal(text: str) -> str | None:
    """The signal that a misspelt name most likely means."""
    from difflib import get_close_matches

    signals = table("signals")
    name = text.strip().upper()
    name = name if name.startswith("SIG") else f"SIG{name}"
    near = get_close_matches(name, [*signals["numbers"], *signals["aliases"]], 1, 0.75)
    return signals["aliases"].get(near[0], near[0]) if near else None


def _name(number: int) -> str | None:
    signals = table("signals")
    first, last = signals["real_time"]
    if first <= number <= last:
        return "SIGRTMIN" if number == first else f"SIGRTMIN+{number - first}"
    return next((name for name, known in signals["numbers"].items() if known == number), None)
