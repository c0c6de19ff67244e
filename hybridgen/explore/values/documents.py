"""Contents of files and texts in a format, made to measure for the code that reads them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hybridgen.explore.values.asked import OTHER, Asked
from hybridgen.explore.values.files import CONTENTS
from hybridgen.explore.values.formats import MALFORMED, text_of
from hybridgen.explore.values.texts import Texts

TYPED = ("json", "toml", "data")
"""Formats whose values have types of their own; in the others all are texts."""

WORDS = ("a", "a", "b", "1", "a b", "")
OTHER_TYPES: tuple[object, ...] = (1, 0, "a", "", True, [], ["a"], {}, {"a": "b"}, 2.5)
NUMBERS = ("1", "0", "2", "-1", "10", "1.5", "a")
SWITCHES = ("yes", "no", "maybe")
BROKEN_SHARE, EMPTY_SHARE, FRESH_SHARE = 0.07, 0.05, 0.15
MOST_LINES = 4
SHARES = (1.0, 0.8, 0.5, 0.3)
"""How much of what the code asks for is there: a little reads better, and much gets further."""

TWICE_SHARE = 0.2
"""How often what has the one name or the other is there under both."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text in a format.

    Attributes:
        data: what it says.
        broken: the text itself where it is none of the format.
        root: the name of the outermost element of XML.
    """

    format: str
    data: object
    broken: str | None = None
    root: str = "root"

    @property
    def text(self) -> str:
        """The text of a file."""
        return text_of(self.format, self.data, self.root) if self.broken is None else self.broken


class Documents:
    """Makes documents for what code asks of a text.

    Args:
        words: literals of the code.
    """

    def __init__(self, words: Sequence[str], chooser: random.Random) -> None:
        self._words = [word for word in words if 0 < len(word) <= 20]
        self._texts = Texts("lines", self._words, chooser)
        self._chooser = chooser
        self._share = 1.0
        self._strange = 0.0

    def fresh(self, asked: Asked, kind: str = "") -> Document:
        """A new document.

        Args:
            asked: what the code asks of the text.
            kind: its format where the code does not say it.
        """
        choose = self._chooser
        kind = asked.format or kind
        chance = choose.random()
        root = next(iter(_names(asked)), "root")
        if chance < BROKEN_SHARE:
            broken = choose.choice(MALFORMED.get(kind, MALFORMED[""]))
            return Document(kind, None, broken, root)
        if chance < BROKEN_SHARE + EMPTY_SHARE:
            return Document(kind, None, "", root)
        self._share = choose.choice(SHARES)
        self._strange = choose.choice((0.0, 0.0, 0.15))
        if kind == "xml" and choose.random() < 0.1:
            root = "other"
        data = self._of_format(kind, asked)
        return Document(kind, data, data if kind == "" and isinstance(data, str) else None, root)

    def changed(self, document: Document, asked: Asked) -> Document:
        """A document near one that led somewhere."""
        if document.broken is not None or self._chooser.random() < FRESH_SHARE:
            return self.fresh(asked, document.format)
        self._share, self._strange = 1.0, 0.3
        meaning = asked.parsed if asked.parsed is not None else asked
        return replace(document, data=self._change(document.data, meaning, document.format))

    def data(self, asked: Asked) -> object:
        """A dictionary or list for code that asks it for keys."""
        self._share = self._chooser.choice(SHARES)
        self._strange = self._chooser.choice((0.0, 0.0, 0.15))
        return self._node(asked, "data", 0)

    def changed_data(self, data: object, asked: Asked) -> object:
        """Data near some that led somewhere."""
        self._share, self._strange = 1.0, 0.3
        return self._change(data, asked, "data")

    # ---- making

    def _of_format(self, kind: str, asked: Asked) -> object:
        meaning = asked.parsed if asked.parsed is not None else asked
        choose = self._chooser
        if kind == "csv":
            return self._rows(asked, meaning)
        if kind in TYPED or kind == "xml":
            return self._node(meaning, kind, 0)
        if kind == "ini":
            sections = self._node(meaning, kind, 0)
            named = sections if isinstance(sections, dict) else {}
            return {k: v if isinstance(v, dict) else {"a": v} for k, v in named.items()}
        if kind == "py":
            names = [word for word in self._words if word.isidentifier()]
            return {choose.choice(names or ["x"]): choose.choice((1, "a", "1.0"))}
        line = asked.item if asked.item is not None else asked
        if not (line.is_line or line.texts) or choose.random() < 0.2:
            return choose.choice((self._texts.compose(), *CONTENTS[1:3]))
        return [self._line(line) for _ in range(choose.randint(1, MOST_LINES))]

    def _rows(self, asked: Asked, meaning: Asked) -> list[object]:
        row = meaning.item if meaning.item is not None else Asked()
        count = self._chooser.choice((1, 2, 2, 3))
        if "records" in asked.uses or row.keys:
            rows: list[object] = [self._node(row, "csv", 0) for _ in range(count)]
            return [item if isinstance(item, dict) else {"a": item} for item in rows]
        head: list[object] = [list(row.texts)] if row.texts else []
        size = self._chooser.choice((len(row.texts) or 2, 2, 3, 1))
        cell = row.item if row.item is not None else Asked()
        return head + [[self._leaf(cell, "csv") for _ in range(size)] for _ in range(count)]

    def _line(self, asked: Asked) -> str:
        choose = self._chooser
        forms = [*asked.texts]
        for separator, (left, right) in asked.pieces.items():
            pair = f"{self._leaf(left, '')}{separator}{self._leaf(right, '')}"
            forms += [pair, pair, f"{pair}{separator}{self._leaf(right, '')}"]
        is_name = any("file name" in right.uses for _, right in asked.pieces.values())
        end = OTHER if is_name else choose.choice((*forms, "a"))
        forms += [f"{head}{end}" for head in asked.heads]
        forms += [f"a{tail}" for tail in asked.tails]
        return choose.choice((*forms, *forms, "a", ""))

    def _node(self, asked: Asked, kind: str, depth: int) -> object:
        choose = self._chooser
        if choose.random() < self._strange and depth:
            return choose.choice(OTHER_TYPES) if kind in TYPED else choose.choice(WORDS)
        is_mapping = "mapping" in asked.uses or (kind == "ini" and depth < 2)
        can_be_text = "checked" in asked.uses or "file name" in asked.uses
        if depth > 6 or (can_be_text and asked.keys and choose.random() < 0.5):
            return self._leaf(asked, kind)
        is_held = "held" in asked.uses and "got" not in asked.uses and not is_mapping
        if asked.keys and is_held and kind in TYPED:
            return [key for key in asked.keys if choose.random() < self._share]
        if asked.keys and is_held and kind != "csv":
            return self._leaf(asked, kind)
        if asked.keys or (is_mapping and asked.item is not None):
            return self._mapping(asked, kind, depth)
        if asked.item is not None and kind in TYPED and not asked.pieces:
            if asked.item.parts and not asked.item.keys:
                parts = asked.item.parts
                return [[self._node(p, kind, depth + 1) for p in parts] for _ in range(2)]
            return [self._node(asked.item, kind, depth + 1) for _ in range(choose.choice((1, 2)))]
        if kind == "ini" and depth < 2:
            return {"a": self._leaf(Asked(), kind)} if depth else {}
        return self._leaf(asked, kind)

    def _mapping(self, asked: Asked, kind: str, depth: int) -> dict[str, object]:
        choose = self._chooser
        found: dict[str, object] = {}
        taken: list[Asked] = []
        for key, value in choose.sample(list(asked.keys.items()), len(asked.keys)):
            is_twice = any(value is other for other in taken)
            if choose.random() < (TWICE_SHARE if is_twice else self._share):
                taken.append(value)
                node = self._node(value, kind, depth + 1)
                is_many = "many" in value.uses and choose.random() < 0.5
                found[key] = [node, self._node(value, kind, depth + 1)] if is_many else node
        found = {key: found[key] for key in asked.keys if key in found}
        if asked.item is not None and ("mapping" in asked.uses or not asked.keys or kind == "ini"):
            names = ["a", *(["b"] if choose.random() < 0.4 else [])]
            if asked.name is not None and asked.name.heads:
                names += [f"{choose.choice(list(asked.name.heads))}{name}" for name in names]
            found |= {name: self._node(asked.item, kind, depth + 1) for name in names}
        return found

    def _leaf(self, asked: Asked, kind: str) -> object:
        """A value that holds no others."""
        choose = self._chooser
        plain: list[object] = [*asked.texts, *asked.texts]
        end = choose.choice(WORDS[:4])
        plain += [f"{head}{end}" for head in asked.heads] + [f"a{tail}" for tail in asked.tails]
        plain += [end] * len(plain[:2])
        if asked.pieces:
            plain.append(self._line(replace(asked, heads={}, tails={}, texts={})))
        if "file name" in asked.uses:
            plain += [OTHER, OTHER]
        if "int" in asked.uses:
            plain += [int(n) if kind in TYPED and n.isdigit() else n for n in NUMBERS]
        if "bool" in asked.uses:
            plain += [True, False] if kind in TYPED else [*SWITCHES]
        if "lines" in asked.uses:
            plain += ["a\nb", "\na\nb"]
        if "checked" in asked.uses and kind in TYPED:
            plain += [1, ["a", "b"], {"a": "b"}]
        if not plain or choose.random() < 0.15:
            words = [word for word in self._words if "\n" not in word]
            plain = [choose.choice(words)] if words and choose.random() < 0.3 else [*WORDS]
            plain += [1, True, None] if kind in ("json", "data") else []
        return choose.choice(plain)

    # ---- changing

    def _change(self, data: object, asked: Asked, kind: str, depth: int = 0) -> object:
        choose = self._chooser
        if isinstance(data, dict):
            missing = [key for key in asked.keys if key not in data]
            if missing and choose.random() < 0.3:
                key = choose.choice(missing)
                return {**data, key: self._node(asked.keys[key], kind, depth + 1)}
            if not data or (depth and choose.random() < 0.1):
                return self._node(asked, kind, depth)
            key = choose.choice(list(data))
            if choose.random() < 0.2:
                return {name: value for name, value in data.items() if name != key}
            inner = asked.keys.get(key) or asked.item or Asked()
            return {**data, key: self._change(data[key], inner, kind, depth + 1)}
        if isinstance(data, list) and data:
            at = choose.randrange(len(data))
            inner = asked.item or Asked()
            chance = choose.random()
            if chance < 0.2:
                return [*data[:at], *data[at + 1 :]]
            if chance < 0.4:
                return [*data, self._item(data[at], inner, kind, depth)]
            return [*data[:at], self._change(data[at], inner, kind, depth + 1), *data[at + 1 :]]
        return self._item(data, asked, kind, depth)

    def _item(self, like: object, asked: Asked, kind: str, depth: int) -> object:
        if kind in ("", "py") and isinstance(like, str):
            return self._line(asked)
        if kind == "csv" and isinstance(like, list):
            return [self._leaf(asked.item or Asked(), kind) for _ in like]
        return self._node(asked, kind, depth + 1)


def _names(asked: Asked) -> list[str]:
    """The names that the outermost element may have."""
    name = (asked.parsed or asked).name
    return list(name.texts) if name is not None and (asked.parsed or asked.format) else []
