"""What is never shown: the values of variables and options whose names say that they are secret."""

from __future__ import annotations

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = "xxxxx"
"""As Go's `URL.Redacted` writes it: no shell and no YAML gives it a meaning."""
_NAME = (
    r"pass(?:word|wd|phrase)?|pwd|secrets?|tokens?|credentials?"
    r"|(?:api|access|account|private|secret|signing|encryption|master|auth)[_-]?key"
)
_NAMED = pattern(rf"(?i)(?:^|[_-])(?:\w{{0,40}}passw(?:or)?d|\w{{0,40}}secret|{_NAME})\Z")
_STEMS = ("pass", "pwd", "secret", "token", "credent", "key")
"""Without one of these no name is one of a secret: most runs need no pattern to tell."""
_OPTION = pattern(rf"(?i)(--?(?:[\w-]{{0,40}}[_-])?(?:{_NAME})[= ])(?=[^\s\"'`$-])[^\s\"'`]+")
_ASSIGNED = pattern(rf"(?i)(\b(?:\w{{0,40}}_)?(?:{_NAME})=)(?=[^\s\"'`$])[^\s\"'`]+")
_IN_ADDRESS = pattern(r"(://[^\s/@:\"'`]{0,200}:)(?=[^\s/@\"'`]{1,200}@)[^\s/@\"'`$][^\s/@\"'`]{0,200}(?=@)")


def is_secret(name: str) -> bool:
    """Whether the name of a variable or option says that its value is a secret: `DB_PASSWORD`, `--api-key`."""
    folded = name.casefold()
    return any(stem in folded for stem in _STEMS) and _NAMED.search(name) is not None


def veiled_value(name: str, value: str) -> str:
    """The value of a variable as it may be put into a command; an empty one hides nothing."""
    return MASK if value and is_secret(name) else value


def veiled_words(words: Iterable[str]) -> Iterator[str]:
    """The words of a command line, without the secrets among them."""
    before = ""
    for word in words:
        is_given = before.startswith("-") and is_secret(before.lstrip("-")) and word and not word.startswith(("-", "$"))
        yield MASK if is_given else veiled(word)
        before = word


@lru_cache(maxsize=512)
def veiled(text: str) -> str:
    """A text without the passwords of addresses and the secrets that options and assignments give."""
    if "=" not in text and "--" not in text and "://" not in text:
        return text
    for secret in (_IN_ADDRESS, _OPTION, _ASSIGNED):
        text = secret.sub(rf"\g<1>{MASK}", text)
    return text
