"""Draws the pictures of the README from what gracelint really prints: `python docs/picture.py`."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURES = {
    "check.svg": [
        "check",
        "--color",
        "always",
        "--select",
        "launch,program",
        "api",
        "web",
        "worker",
        "k8s/checkout.yaml",
    ],
    "trace.svg": ["trace", "--color", "always", "k8s/web.yaml"],
}


def main() -> None:
    for name, arguments in PICTURES.items():
        done = subprocess.run(
            [sys.executable, "-m", "gracelint", *arguments], cwd=ROOT / "fixtures/shop", capture_output=True, text=True
        )
        console = Console(record=True, width=108, file=io.StringIO())
        console.print(Text.from_ansi(done.stdout))
        console.save_svg(str(ROOT / "docs" / name), title=f"gracelint {arguments[0]}")


if __name__ == "__main__":
    main()
