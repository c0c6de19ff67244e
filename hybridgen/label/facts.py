"""What the bytes of a file say about its label, whatever its place and whoever marked it."""

from __future__ import annotations

import io
import json
import re
import tokenize
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from hybridgen.domain import Evidence, Label
from hybridgen.errors import SourceError
from hybridgen.label.evidence import confidential
from hybridgen.label.imported import Import, find_dotted_names, find_imports, is_test_path
from hybridgen.reading import decode, parse

MARK_LINES = 5
"""A mark in a file stands in one of its first lines."""

HEADER_LINES = 30
"""Phrases of confidentiality are looked for in so many lines."""

HEADERS = (
    *("Confidential", "Proprietary", "Trade secret", "Strictly private"),
    *("Internal use only", "All rights reserved"),
)
"""The phrases where no others are set."""

_INTERNAL = "internal use only"

_MARK = re.compile(r"#[ \t]*hybridgen:[ \t]*(public|internal)[ \t]*")
# Read broadly, since whoever wrote it wanted less to be read.
_TIGHTENING = re.compile(r"\bhybridgen\s*[:=]\W*(internal|confidential)\b", re.IGNORECASE)
_WORD = re.compile(r"[ \t]*#[ \t]*hybridgen[ \t]*[:=][ \t]*([^\W\d_]+)[ \t]*", re.IGNORECASE)
# The line above every test of ours, see suite/ownership.py.
_WRITTEN = re.compile(r"^[ \t]*# hybridgen: [0-9a-f]{8} \S", re.MULTILINE)
_LABELS = {label.name.lower() for label in Label}
# Unseen characters, dashes, underscores: by categories of Unicode, after its compatibility forms.
_REPLACED = {"Cf": None, "Pd": " ", "Pc": " "}
_AROUND_PROSE = " \t\f#*/|=-\"';"


@dataclass(frozen=True, slots=True)
class Facts:
    """What reading a file once gave.

    Attributes:
        sha256: of the bytes, hexadecimal.
        marks: labels below confidential that comments in its first lines ask for, with the line.
        findings: what its text has against a loose label.
        imports: of a test file, what it imports; None if that cannot be known.
        is_empty: True if there is nothing in it.
    """

    sha256: str
    marks: tuple[tuple[Label, str], ...] = ()
    findings: tuple[Evidence, ...] = ()
    imports: tuple[Import, ...] | None = ()
    is_empty: bool = False

    def to_json(self) -> str:
        """The facts as text, for the cache."""
        return json.dumps(
            [
                self.sha256,
                [[label.name, line] for label, line in self.marks],
                [[item.label.name, item.rule, item.detail] for item in self.findings],
                None
                if self.imports is None
                else [[i.level, i.module, i.names, i.is_certain] for i in self.imports],
                self.is_empty,
            ]
        )

    @classmethod
    def from_json(cls, text: str) -> Facts:
        """The facts that :meth:`to_json` wrote.

        Raises:
            ValueError, TypeError, KeyError: it did not.
        """
        digest, marks, findings, imports, is_empty = json.loads(text)
        found: Any = imports
        return cls(
            str(digest),
            tuple((Label[name], str(line)) for name, line in marks),
            tuple(Evidence(Label[name], str(rule), str(why)) for name, rule, why in findings),
            None
            if imports is None
            else tuple(
                Import(int(at), name, tuple(names), bool(is_)) for at, name, names, is_ in found
            ),
            bool(is_empty),
        )


def read_facts(data: bytes, name: str, headers: Sequence[str] = HEADERS) -> Facts:
    """Look into the bytes of the file called ``name`` (relative, with slashes).

    Args:
        headers: phrases that make a file confidential, or internal if it is for internal use.
    """
    digest = sha256(data).hexdigest()
    is_test = is_test_path(name)
    try:
        text = decode(data, name)
    except SourceError as error:
        finding = confidential("content", f"cannot be read as text: {error.message}")
        return Facts(digest, (), (finding,), None if is_test else ())
    is_python = name.lower().endswith((".py", ".pyi"))
    lines = text.split("\n")[:HEADER_LINES]
    headings = _header_findings(list(_prose(lines, is_python)), headers)
    return Facts(
        digest,
        tuple(_marks(text)) if is_python else (),
        (*_mark_findings(lines), *headings, *(_written_findings(text) if is_python else ())),
        _imports_of(text, name) if is_test else (),
        not text.strip(),
    )


def _imports_of(text: str, name: str) -> tuple[Import, ...] | None:
    try:
        tree = parse(text, name)
        return (*find_imports(tree), *find_dotted_names(tree))
    except (SourceError, RecursionError):
        return None


def _marks(text: str) -> Iterator[tuple[Label, str]]:
    """Marks that loosen: comments that have a line to themselves and say nothing else."""
    for token in _tokens(text, MARK_LINES):
        if token.type == tokenize.COMMENT and token.line.strip() == token.string.strip():
            found = _MARK.fullmatch(token.string)
            if found:
                yield Label[found[1].upper()], token.string.strip()


def _written_findings(text: str) -> Iterator[Evidence]:
    """A test of ours repeats what runs showed in which all files of the project could be read."""
    found = _WRITTEN.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        what = "hybridgen wrote it, of what runs with the whole project in reach showed"
        yield confidential("mark in the file", f"line {line}: {what}")


def _mark_findings(lines: Sequence[str]) -> Iterator[Evidence]:
    """Marks that tighten, in whatever kind of comment; a word that is no label is one too."""
    for number, line in enumerate(lines, 1):
        for found in _TIGHTENING.finditer(line):
            label = Label[found[1].upper()]
            yield Evidence(label, "mark in the file", f"line {number} says {found.group()}")
        word = _WORD.fullmatch(line)
        if word and word[1].lower() not in _LABELS:
            detail = f"line {number} says hybridgen: {word[1]}, which is no label"
            yield Evidence(Label.CONFIDENTIAL, "mark in the file", detail)


def _header_findings(
    prose: Sequence[tuple[int, str]], headers: Sequence[str]
) -> Iterator[Evidence]:
    whole = _joined(prose)
    for phrase in headers:
        words = _normalised(phrase)
        label = Label.INTERNAL if words == _INTERNAL else Label.CONFIDENTIAL
        pattern = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")
        if words and pattern.search(whole):
            ends = (n for n in range(1, len(prose)) if pattern.search(_joined(prose[:n])))
            line = prose[next(ends, len(prose)) - 1][0]
            yield Evidence(label, "header", f"line {line} says “{phrase}” (see labels.headers)")


def _prose(lines: Sequence[str], is_python: bool) -> Iterator[tuple[int, str]]:
    """What people wrote in the first lines, by number: of Python, comments and texts."""
    if is_python:
        try:
            kinds = (tokenize.COMMENT, tokenize.STRING)
            tokens = [token for token in _all_tokens("\n".join(lines)) if token.type in kinds]
        except (tokenize.TokenError, SyntaxError, ValueError):
            pass  # cut in the middle of something: all of it then
        else:
            for token in tokens:
                yield from enumerate(token.string.split("\n"), token.start[0])
            return
    yield from enumerate(lines, 1)


def _joined(prose: Sequence[tuple[int, str]]) -> str:
    return _normalised(" ".join(line.strip(_AROUND_PROSE) for _, line in prose))


def _normalised(text: str) -> str:
    """``text`` in the form that phrases are compared in: ``Internal-use_only`` is three words."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    kinds = {ord(character): unicodedata.category(character) for character in set(plain)}
    table = {code: _REPLACED[kind] for code, kind in kinds.items() if kind in _REPLACED}
    return " ".join(plain.translate(table).split())


def _tokens(text: str, lines: int) -> Iterator[tokenize.TokenInfo]:
    """The tokens that begin in the first lines, as far as there are any."""
    try:
        for token in _all_tokens(text):
            if token.start[0] > lines:
                return
            yield token
    except (tokenize.TokenError, SyntaxError, ValueError):
        return


def _all_tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)
