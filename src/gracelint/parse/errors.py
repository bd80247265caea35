"""What a reader raises."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.source import Span


class ParseError(Exception):
    """Text that is not what its file name says. `span` is where it went wrong."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message = message
        self.span = span


class FragmentError(ParseError):
    """A part of a Dockerfile, which a build puts together with others."""


class TooLargeError(ParseError):
    """Text that may well be right, and is of a size that is not followed."""


class TemplatedError(Exception):
    """A manifest that is a template: `span` is the first action that stands outside a scalar."""

    def __init__(self, span: Span) -> None:
        super().__init__("templated")
        self.span = span
