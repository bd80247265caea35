"""The tree of another revision, written out so that it can be linted as if it stood there.

git reads objects for it, and nothing else: what a name such as `main` means is looked up here, as git never sees the
repository's own folder. No filter, hook or attribute of the repository has a say in what is written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from gracelint.base.record import Record
from gracelint.config import ConfigError
from gracelint.tree.files import LIMIT
from gracelint.tree.git import Objects, Repository, objects_of, repository

_LINK, _FILE = "120000", "100"
"""How the modes of links and of files begin."""
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_PLACES = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
_LINKS_FOLLOWED = 5


class Entry(Record):
    mode: str
    id: str
    path: str


@contextmanager
def tree_before(root: str, revision: str) -> Iterator[str]:
    """A temporary folder with the files of the revision that the present one branched off from `revision`.

    Raises ConfigError where git does not know it.
    """
    from tempfile import TemporaryDirectory

    found = repository(root)
    objects = objects_of(found) if found is not None else None
    if found is None or objects is None:
        raise ConfigError(f"--diff-base: {root} is in no git repository, or there is no git")
    base = _base(found, objects, revision)
    below = os.path.relpath(root, found.work_tree).replace(os.sep, "/")
    with TemporaryDirectory(prefix="gracelint-") as folder:
        folder = os.path.realpath(folder)
        os.mkdir(os.path.join(folder, ".git"))  # marks the root, and says nothing
        _write(objects, folder, list(_entries(objects, base, "" if below == "." else f"{below}/")))
        yield folder


def _base(found: Repository, objects: Objects, revision: str) -> str:
    asked = _resolved(found, objects, revision)
    if asked is None:
        raise ConfigError(f"--diff-base: git knows no revision {revision!r} here (a shallow clone has few)")
    here = _resolved(found, objects, "HEAD")
    shared = objects.ask("merge-base", asked, here) if here is not None else None
    return shared.decode().strip() if shared else asked


def _resolved(found: Repository, objects: Objects, revision: str) -> str | None:
    """The commit that a revision names."""
    parts = re.fullmatch(r"([^~^:@{}\s-][^~^:@{}\s]*|@)((?:[~^][0-9]*)*)", revision)
    if parts is None or ".." in parts[1]:
        return None
    name = "HEAD" if parts[1] == "@" else parts[1]
    start = _ref(found, name) or (name if re.fullmatch(r"[0-9a-f]{4,64}", name) else None)
    if start is None:
        return None
    commit = objects.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{start}{parts[2]}^{{commit}}")
    return commit.decode().strip() if commit else None


def _ref(found: Repository, name: str) -> str | None:
    for place in _PLACES:
        value = _followed(found, place.format(name))
        if value is not None:
            return value
    return None


def _followed(found: Repository, ref: str) -> str | None:
    for _ in range(_LINKS_FOLLOWED):
        value = _value(found, ref)
        if value is None or not value.startswith("ref:"):
            return value if value is not None and _ID.match(value) else None
        ref = value.removeprefix("ref:").strip()
        if not ref.startswith("refs/") or ".." in ref:
            return None
    return None


def _value(found: Repository, ref: str) -> str | None:
    for folder in (found.own, found.common):
        path = os.path.join(folder, ref)
        if os.path.isfile(path) and os.path.getsize(path) < 1000:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read().strip()
    packed = os.path.join(found.common, "packed-refs")
    if os.path.isfile(packed):
        with open(packed, encoding="utf-8", errors="replace") as file:
            for line in file:
                value, _, name = line.strip().partition(" ")
                if name == ref:
                    return value
    return None


def _entries(objects: Objects, commit: str, below: str) -> Iterator[Entry]:
    listing = objects.ask("ls-tree", "-r", "-z", "--full-tree", commit)
    if listing is None:
        raise ConfigError(f"--diff-base: git cannot read {commit}")
    for line in listing.split(b"\0"):
        head, _, path = os.fsdecode(line).partition("\t")
        if path.startswith(below) and _is_harmless(path):
            mode, _, name = head.split(" ")
            yield Entry(mode, name, path[len(below) :])


def _is_harmless(path: str) -> bool:
    """Whether a path leads to a place below the folder; a tree made by hand may say anything."""
    return not any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/"))


def _write(objects: Objects, folder: str, entries: list[Entry]) -> None:
    """Files first, then links: so none is written through a link."""
    texts = _contents(objects, folder, entries)
    for is_link in (False, True):
        for entry in entries:
            text = texts.get(entry.id)
            path = os.path.join(folder, entry.path)
            parent = os.path.dirname(path)
            if text is None or (entry.mode == _LINK) is not is_link or os.path.realpath(parent) != parent:
                continue
            # Names that are too long, or that this file system takes for the same: those files are not there.
            with suppress(OSError, ValueError):
                os.makedirs(parent, exist_ok=True)
                if is_link:
                    os.symlink(os.fsdecode(text), path)
                else:
                    with open(path, "xb") as file:
                        file.write(text)


def _contents(objects: Objects, folder: str, entries: list[Entry]) -> Mapping[str, bytes]:
    """What the blobs hold that are not too long to be read."""
    wanted = os.path.join(folder, ".git", "wanted")
    ids = list(dict.fromkeys(entry.id for entry in entries if entry.mode.startswith((_FILE, _LINK))))
    with open(wanted, "w") as file:
        file.writelines(f"{name}\n" for name in ids)
    sizes = objects.ask("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", stdin=wanted) or b""
    short = [
        name.decode()
        for name, kind, size in (line.split(b" ") for line in sizes.splitlines() if line.count(b" ") == 2)
        if kind == b"blob" and int(size) <= LIMIT
    ]
    with open(wanted, "w") as file:
        file.writelines(f"{name}\n" for name in short)
    told = objects.ask("cat-file", "--batch", stdin=wanted) or b""
    os.unlink(wanted)
    texts: dict[str, bytes] = {}
    start = 0
    for name in short:
        header = told[start : told.find(b"\n", start)]
        size = int(header.rpartition(b" ")[2] or 0)
        start += len(header) + 1
        texts[name] = told[start : start + size]
        start += size + 1
    return texts
