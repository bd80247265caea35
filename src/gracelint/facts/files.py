"""How readers and the launch ask for files, without knowing where they come from."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from gracelint.source import Source

    class Files(Protocol):
        """The project's files. Paths are relative to its root, with forward slashes; nothing outside is ever read."""

        name: str
        """The name of the root folder itself."""

        def __hash__(self) -> int:
            """By identity: what is found in files can be kept."""

        def read(self, path: str) -> Source | None:
            """The file's text, the same Source each time; None where it is missing, unreadable or outside."""

        def glance(self, path: str) -> str:
            """The file's text, not kept; empty where there is none."""

        def exists(self, path: str) -> bool:
            """Whether there is a file or folder at that path inside the project."""

        def names(self, folder: str) -> tuple[str, ...]:
            """The names directly below a folder, sorted; folders end in a slash. Empty where there is none."""

        def listed(self, folder: str) -> tuple[str, ...]:
            """The paths of all files below a folder, sorted, but for those that git ignores: no folder is opened."""
