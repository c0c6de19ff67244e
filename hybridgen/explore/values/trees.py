"""Folders with files below ``tmp_path``, made to measure for the code that looks into them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hybridgen.explore.values.asked import Asked
from hybridgen.explore.values.documents import Document, Documents
from hybridgen.explore.values.formats import file_name, format_of

PRESENT_SHARE = 0.6
"""How often a file that the code asks for is there."""

MISSING_SHARE, SWAPPED_SHARE = 0.08, 0.05
FOLDERS = ("", "", "folder", "folder/inner")
OTHERS = ("a.txt", "b.txt", "c.py", ".hidden", "d")
MOST_FILES = 8


@dataclass(frozen=True, slots=True)
class File:
    """A file, or a folder.

    Attributes:
        path: below ``tmp_path``.
        document: what it holds; None for a folder.
        asked: what the code asks of it.
    """

    path: str
    document: Document | None
    asked: Asked


@dataclass(frozen=True, slots=True)
class Tree:
    """Files and folders, and the one that the code is given.

    Attributes:
        at: its path below ``tmp_path``, empty for that itself.
    """

    files: tuple[File, ...]
    at: str

    @property
    def folders(self) -> list[str]:
        """The folders that it has, with that of what is given even where that is missing."""
        found = [file.path for file in self.files if file.document is None]
        found += [path for file in self.files for path in _above(file.path)]
        return found + _above(self.at)


def statements(trees: Sequence[Tree]) -> list[str]:
    """What makes the files of all trees, the folders first."""
    files = _sound([file for tree in trees for file in tree.files])
    texts = [file for file in files if file.document is not None]
    taken = [file.path for file in texts]
    folders = [path for tree in trees for path in tree.folders if path not in taken]
    lines = []
    for path in sorted(dict.fromkeys(folders)):
        if not any(_is_in(other, path) for other in folders):
            lines.append(f"({below(path)}).mkdir({'parents=True' if '/' in path else ''})")
    for file in sorted(texts, key=lambda file: (file.path.count("/"), file.path)):
        assert file.document is not None
        lines.append(f"({below(file.path)}).write_text({file.document.text!r})")
    return lines


def below(path: str) -> str:
    """A path below ``tmp_path`` as source text."""
    return f"tmp_path / {path!r}" if path else "tmp_path"


class Trees:
    """Makes trees for what code asks of a path."""

    def __init__(self, documents: Documents, chooser: random.Random) -> None:
        self._documents = documents
        self._chooser = chooser

    def fresh(self, asked: Asked) -> Tree:
        """A new tree, and the path to give."""
        choose = self._chooser
        base = choose.choice(FOLDERS) if "up" in asked.uses and asked.keys else ""
        is_folder = bool(asked.keys) or "folder" in asked.uses
        is_file = asked.inside is not None or "file" in asked.uses or "write" in asked.uses
        is_file |= asked.name is not None and bool(asked.name.texts or asked.name.tails)
        if is_folder == is_file:
            is_file = choose.random() < 0.5
        if choose.random() < SWAPPED_SHARE:
            is_file = not is_file
        name = self._name(asked) if is_file else ""
        at = _joined(base, name)
        if choose.random() < MISSING_SHARE or ("write" in asked.uses and choose.random() < 0.6):
            return Tree((), at if is_file else _joined(base, "missing"))
        files: list[File] = []
        if is_file:
            files.append(File(at, self._document(asked, name), asked))
            if asked.above is not None:
                files += self._named(base, asked.above, 0)
        else:
            files += self._inside(base, asked, 0)
        return Tree(_sound(files), at)

    def changed(self, tree: Tree, asked: Asked) -> Tree:
        """A tree near one that led somewhere."""
        choose = self._chooser
        chance = choose.random()
        files = list(tree.files)
        holding = [at for at, file in enumerate(files) if file.document is not None]
        if chance < 0.6 and holding:
            at = choose.choice(holding)
            document = files[at].document
            if document is not None:
                inside = files[at].asked.inside or Asked()
                files[at] = replace(files[at], document=self._documents.changed(document, inside))
            return replace(tree, files=tuple(files))
        if chance < 0.75 and files:
            files.pop(choose.randrange(len(files)))
            return replace(tree, files=tuple(files))
        if chance < 0.95:
            other = self.fresh(asked)
            return replace(tree, files=_sound([*files, *other.files]))
        return self.fresh(asked)

    # ---- making

    def _document(self, asked: Asked, name: str) -> Document:
        kind = format_of(name)
        inside = asked.inside or Asked()
        if asked.inside is None and self._chooser.random() < 0.5:
            return Document(kind, None, "")  # nobody looks into it
        return self._documents.fresh(inside, kind)

    def _name(self, asked: Asked) -> str:
        """A name for a file that is given: of those that the code knows, or a plain one."""
        kind = asked.inside.format if asked.inside is not None else ""
        names = list(_names(asked.name)) if asked.name is not None else []
        plain = file_name(kind)
        return self._chooser.choice((*names, plain)) if names else plain

    def _inside(self, folder: str, asked: Asked, depth: int) -> Iterator[File]:
        """What stands in a folder."""
        choose = self._chooser
        if folder and not depth:
            yield File(folder, None, asked)
        yield from self._named(folder, asked, depth)
        entry = asked.item
        if entry is None and "walked" not in asked.uses:
            return
        entry = entry or Asked()
        names = [*(_names(entry.name) if entry.name is not None else ()), *OTHERS]
        for name in choose.sample(names, choose.randint(0, min(3, len(names)))):
            yield File(_joined(folder, name), self._document(entry, name), entry)
        is_deeper = entry.keys or "folder" in entry.uses or "walked" in asked.uses
        if is_deeper and depth < 2 and choose.random() < PRESENT_SHARE:
            inner = _joined(folder, choose.choice(("folder", "inner")))
            yield File(inner, None, entry)
            yield from self._inside(inner, entry if entry.keys else asked, depth + 1)

    def _named(self, folder: str, asked: Asked, depth: int) -> Iterator[File]:
        """The files that code asks a folder for, mostly there; of a walk up, in a folder above."""
        choose = self._chooser
        places = [folder, *_above(folder), ""] if "up" in asked.uses and folder else [folder]
        for key, child in asked.keys.items():
            for _ in range(choose.choice((1, 2)) if "*" in key else 1):
                if choose.random() > PRESENT_SHARE or depth > 3:
                    continue
                name = self._concrete(key)
                if key.startswith("**/") and choose.random() < 0.4:
                    name = f"folder/{name}"
                path = _joined(choose.choice(places), name)
                is_folder = bool(child.keys) or "folder" in child.uses
                is_file = child.inside is not None or "file" in child.uses
                if is_folder and is_file:
                    is_folder = choose.random() < 0.5
                if choose.random() < SWAPPED_SHARE:
                    is_folder = not is_folder
                if not is_folder:
                    yield File(path, self._document(child, name), child)
                    continue
                yield File(path, None, child)
                yield from self._inside(path, child, depth + 1)

    def _concrete(self, pattern: str) -> str:
        """A name that a pattern of ``glob`` matches."""
        name = pattern.removeprefix("**/").replace("**", "*")
        name = re.sub(r"\[!.*?\]|\?", "a", name)
        name = re.sub(r"\[(.).*?\]", r"\1", name)
        if name == "*":
            return self._chooser.choice(OTHERS)
        return re.sub(r"\*", lambda _: self._chooser.choice(("a", "b", "1")), name)


def _names(asked: Asked) -> Iterator[str]:
    """Names of files that the code knows: whole ones, beginnings and ends."""
    for text in (*asked.texts, *asked.tails):
        if re.fullmatch(r"[\w.-]+", text):
            yield f"a{text}" if text[:1] == "." or text in asked.tails else text
    yield from (f"{text}a.txt" for text in asked.heads if re.fullmatch(r"[\w.-]+", text))


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _above(path: str) -> list[str]:
    """The folders that a path is in, the nearest first, without ``tmp_path`` itself."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def _sound(files: list[File]) -> tuple[File, ...]:
    """Each path once, no file below another file, and not too many."""
    found: dict[str, File] = {}
    for file in files[-MOST_FILES:]:
        is_blocked = any(
            other in found and found[other].document is not None for other in _above(file.path)
        )
        is_folder = file.document is not None and any(_is_in(path, file.path) for path in found)
        if not is_blocked and not is_folder and file.path and ".." not in file.path:
            found[file.path] = file
    return tuple(found.values())
