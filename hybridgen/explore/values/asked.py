"""What code asks of a value: names in a folder, the text in a file, keys of a dictionary.

A folder is asked for files, a file for its text, a text for what it says in some format, and that
for its keys: all of these are values that hold values. What stands here is read from the source, by
:mod:`hybridgen.explore.around.asking`, and says what to pass so that the code finds what it wants.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

OTHER = "other.txt"
"""A file whose name another file tells: what an entry ``readme = other.txt`` means."""


@dataclass(eq=False, slots=True)
class Asked:
    """One value, by what code does with it.

    Attributes:
        known: the texts that it is, for literals of the code.
        uses: words for what is done with it: ``path``, ``open``, ``folder``, ``int`` ...
        texts: what it is compared with.
        heads: what it may start with, or hold.
        tails: what it may end with.
        keys: what it is asked for by name: files of a folder, keys, sections, columns.
        item: one of its items; of a mapping, what other keys hold.
        inside: the text in a file.
        format: how that text is read: ``json``, ``ini`` ...
        parsed: what is made of the text.
        above: the folder that a path is in.
        name: the last part of a path.
        pieces: a separator, and what stands before and after it.
        parts: of a tuple.
        owner: the class of the module that it is an object of.
    """

    known: tuple[str, ...] = ()
    uses: dict[str, None] = field(default_factory=dict)
    texts: dict[str, None] = field(default_factory=dict)
    heads: dict[str, None] = field(default_factory=dict)
    tails: dict[str, None] = field(default_factory=dict)
    keys: dict[str, Asked] = field(default_factory=dict)
    item: Asked | None = None
    inside: Asked | None = None
    format: str = ""
    parsed: Asked | None = None
    above: Asked | None = None
    name: Asked | None = None
    pieces: dict[str, tuple[Asked, Asked]] = field(default_factory=dict)
    parts: tuple[Asked, ...] = ()
    owner: str = ""

    def use(self, *words: str) -> Asked:
        """Notes what is done with it."""
        self.uses.update(dict.fromkeys(words))
        return self

    def key(self, names: Iterable[str]) -> Asked:
        """What it holds under a name, the same for each of several."""
        found = next((self.keys[name] for name in names if name in self.keys), None) or Asked()
        for name in names:
            self.keys.setdefault(name, found)
        return found

    def items(self) -> Asked:
        """One of its items."""
        if self.item is None:
            self.item = Asked()
        return self.item

    def text(self) -> Asked:
        """The text in a file."""
        self.use("path", "open")
        if self.inside is None:
            self.inside = Asked()
        return self.inside

    def folder(self) -> Asked:
        """The folder that a path is in."""
        if self.above is None:
            self.above = Asked()
        return self.above

    def last(self) -> Asked:
        """The last part of a path."""
        self.use("path")
        if self.name is None:
            self.name = Asked()
        return self.name

    def read_as(self, kind: str) -> Asked:
        """What a text says in a format; JSON, say."""
        self.format = self.format or kind
        if self.parsed is None:
            self.parsed = Asked(format=kind)
        return self.parsed

    @property
    def role(self) -> str:
        """``path``, ``text``, ``stream``, ``lines``, ``data``; of what is read already ``parser``
        and ``element``; empty for the rest.
        """
        if "path" in self.uses or self.inside is not None:
            return "path"
        if self.above is not None and self.above is not self and self.above.role == "path":
            return "path"
        if self.format == "ini" and self.parsed is None:
            return "parser"
        if self.parsed is not None:
            return "stream" if "stream" in self.uses else "text"
        if "stream" in self.uses:
            return "stream"
        if self.format == "xml":
            return "element"
        if "iterated" in self.uses and self.item is not None and self.item.is_line:
            return "lines"
        values = (self, *([self.item] if self.item is not None else []))
        return "data" if any(value.keys and "got" in value.uses for value in values) else ""

    @property
    def is_line(self) -> bool:
        """True if it looks like a line of text that is taken apart."""
        return bool(self.pieces or self.heads) and "got" not in self.uses

    @property
    def is_telling(self) -> bool:
        """True if anything is known of it."""
        parts = (self.uses, self.texts, self.heads, self.keys, self.parts, self.item, self.inside)
        return any(
            bool(part) for part in (self.known, self.format, self.owner, *parts, self.parsed)
        )


def hinted(annotation: str) -> Asked:
    """What a type hint says of a parameter."""
    asked = Asked()
    if "ConfigParser" in annotation:
        asked.format = "ini"
    elif re.search(r"\bElement\b", annotation):
        asked.format = "xml"
    elif re.search(r"Path\b|PathLike", annotation):
        asked.use("path")
    elif re.search(r"\bTextIO\b|\bIO\[str\]|StringIO", annotation):
        asked.use("stream")
    return asked


def either(first: Asked, second: Asked) -> Asked:
    """One of two values: the texts of both, else that of which something is known."""
    if first.known and second.known:
        return Asked(known=(*first.known, *second.known))
    return first if first.is_telling else second
