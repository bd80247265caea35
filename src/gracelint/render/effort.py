"""What all the charts and overlays of one run may cost together."""

from __future__ import annotations

from gracelint.render.values import TooLargeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.source import Source

START = 500_000
FOR_EACH = 8
"""Steps for each code point of what is rendered: of public charts none took one, and overlays came to twice theirs."""


class Effort:
    """The steps that are left: of templates, of changes to objects, and one for each code point that comes of them.

    They grow with what is read, so that whoever writes much may take long. One chart or overlay takes at most half of
    them, and one that takes too much leaves to the next ones what their own text is worth.
    """

    def __init__(self) -> None:
        self._left = self.turn = START
        self._known: set[str] = set()

    def read(self, *sources: Source) -> None:
        """Notes a file that is rendered; the second time it adds nothing."""
        for source in sources:
            if source.path not in self._known:
                self._known.add(source.path)
                self._left += FOR_EACH * len(source.text)
                self.turn += FOR_EACH * len(source.text)

    def begin(self) -> None:
        """The next chart or overlay begins."""
        self.turn = self._left // 2

    def take(self, steps: int) -> None:
        """Counts what was done already."""
        self._left -= min(steps, max(self.turn, 0))
        self.turn -= steps

    def spend(self, steps: int) -> None:
        """Counts what is done next. Raises TooLargeError."""
        self.take(steps)
        if self.turn < 0:
            raise TooLargeError
