"""Texts with structure: lines, indentation and words, put together and changed as such.

Parsers ask for texts that single characters never add up to: a heading, an indented entry
``name: value`` below it, a blank line. Lines are made from the code's own literals, the lines of
its docstrings and texts that its patterns match; and texts that got somewhere are changed by
whole lines and words, and crossed at line borders.
"""

from __future__ import annotations

import ast
import random
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence

from hybridgen.domain import Target

SEPARATORS = (": ", ":", " ", "=", " = ", ", ", ",", "-", " - ", "|", "/", ".", ";", "\t")
INDENTS = ("", "", "    ", "  ", "        ", "\t")
PLAIN_WORDS = ("a", "b", "x", "abc", "1", "2", "a b", "1.5", "")
LONGEST = 600
MOST_LINES = 30
MOST_WORDS = 120
LONGEST_WORD = 80

_LINES = re.compile(r"splitlines|readlines|\\n|\bfor line\b|MULTILINE|re\.M\b")
_PARTS = re.compile(
    r"\.(?:r?split|r?partition|startswith|endswith|strip|[lr]strip|find|match|search|fullmatch"
    r"|findall|finditer|removeprefix|removesuffix)\("
)


def structure_of(target: Target, targets: Mapping[str, Target]) -> str:
    """How a target, or what it calls, takes texts apart: ``"lines"``, ``"parts"`` or ``""``."""
    sources: dict[str, str] = {}
    waiting = [target.qualname]
    while waiting and len(sources) < 12:
        found = targets.get(waiting.pop(0))
        if found is not None and found.qualname not in sources:
            sources[found.qualname] = found.source
            waiting += found.calls
    code = "\n".join(sources.values())
    if not _PARTS.search(code) and not _LINES.search(code):
        return ""
    return "lines" if _LINES.search(code) else "parts"


def phrases_of(docstring: str | None) -> tuple[str, ...]:
    """Lines and indented blocks of a docstring that may be examples of what the code reads."""
    if not docstring:
        return ()
    text = textwrap.dedent(docstring.expandtabs()).strip("\n")
    lines = [line.rstrip() for line in text.split("\n") if line.strip() and len(line) < 80]
    blocks = [
        textwrap.dedent(block).strip("\n")
        for block in re.findall(r"(?:^[ ]{2,}.*\n?(?:[ \t]*\n)*)+", text, re.MULTILINE)
    ]
    return tuple(dict.fromkeys([*(b for b in blocks if len(b) <= LONGEST), *lines]))[:40]


class Texts:
    """Makes and changes texts for one target.

    Args:
        structure: ``"lines"`` or ``"parts"``.
        words: literals and other short texts that the code knows; more may come.
    """

    def __init__(self, structure: str, words: Sequence[str], chooser: random.Random) -> None:
        self._has_lines = structure == "lines"
        self._chooser = chooser
        self._words: dict[str, None] = {}
        for word in words:
            self.learn(word)

    def learn(self, word: str) -> None:
        """Adds a short text."""
        if len(word) <= LONGEST_WORD and len(self._words) < MOST_WORDS:
            self._words[word] = None

    def word(self) -> str:
        """A short text, mostly one that the code knows."""
        known = list(self._words)
        pool: Sequence[str] = known if known and self._chooser.random() < 0.8 else PLAIN_WORDS
        return self._chooser.choice(pool)

    def line(self) -> str:
        """One line: a word, or words with a separator between."""
        choose = self._chooser
        parts = [self.word() for _ in range(choose.choice((1, 1, 2, 2, 3)))]
        separators = [w for w in self._words if 0 < len(w) <= 3 and not w.isalnum()]
        pool = separators if separators and choose.random() < 0.6 else SEPARATORS
        return choose.choice(pool).join(parts)

    def compose(self) -> str:
        """A fresh text."""
        choose = self._chooser
        if not self._has_lines:
            return self.line()[:LONGEST]
        lines = []
        for _ in range(choose.choice((1, 2, 2, 3, 4, 5))):
            lines.append(choose.choice(INDENTS) + self.line())
            if choose.random() < 0.15:
                lines.append("")
        return "\n".join(lines)[:LONGEST]

    def change(self, text: str, other: str) -> str:
        """A text near ``text``: one or two changes of lines or words.

        Args:
            other: another text that got somewhere, to cross it with.
        """
        choose = self._chooser
        kinds: list[Callable[[str, str], str]] = [self._in_words, self._spliced]
        if self._has_lines:
            kinds += [self._in_lines, self._in_lines, self._in_lines, self._crossed]
        for _ in range(choose.choice((1, 1, 2))):
            text = choose.choice(kinds)(text, other)
        return text[:LONGEST]

    def _in_words(self, text: str, other: str) -> str:
        """Changes at the borders of words and signs, within one line."""
        choose = self._chooser
        tokens = re.findall(r"\w+|\s+|[^\w\s]", text) or [""]
        at = choose.randrange(len(tokens))
        kind = choose.randrange(6)
        if kind == 0:
            del tokens[at]
        elif kind == 1:
            tokens[at] = self.word()
        elif kind == 2:
            tokens.insert(at, self.word())
        elif kind == 3:
            tokens.insert(at, tokens[choose.randrange(len(tokens))])
        elif kind == 4:
            tokens.insert(at, choose.choice(SEPARATORS))
        else:
            end = choose.randrange(at, len(tokens))
            tokens[at : end + 1] = tokens[at : end + 1] * 2
        return "".join(tokens)

    def _spliced(self, text: str, other: str) -> str:
        """A word of the code before, after or inside."""
        word = self.word()
        at = self._chooser.choice((0, len(text), self._chooser.randint(0, len(text))))
        glue = self._chooser.choice(("", "", " "))
        return text[:at] + glue + word + glue + text[at:]

    def _in_lines(self, text: str, other: str) -> str:
        choose = self._chooser
        lines = text.split("\n")[:MOST_LINES]
        at = choose.randrange(len(lines))
        rest = range(at, choose.choice((at + 1, at + 1, len(lines))))
        kind = choose.randrange(9)
        if kind == 0 and len(lines) > 1:
            del lines[at]
        elif kind == 1:
            lines.insert(at + 1, lines[at])
        elif kind == 2:
            for index in rest:
                lines[index] = choose.choice(INDENTS[2:]) + lines[index]
        elif kind == 3:
            for index in rest:
                lines[index] = lines[index].lstrip()
        elif kind == 4:
            lines.insert(choose.choice((at, at + 1)), "")
        elif kind == 5:
            two = choose.randrange(len(lines))
            lines[at], lines[two] = lines[two], lines[at]
        elif kind == 6 and at + 1 < len(lines):
            lines[at : at + 2] = [lines[at] + choose.choice(("", " ")) + lines[at + 1].strip()]
        else:
            indent = re.match(r"\s*", lines[at])
            deeper = choose.choice(("", "", "    ", "  "))
            lines.insert(at + 1, (indent.group() if indent else "") + deeper + self.line())
        return "\n".join(lines)

    def _crossed(self, text: str, other: str) -> str:
        """The start of one text and the end of another, or one below the other."""
        choose = self._chooser
        mine, theirs = text.split("\n"), other.split("\n")
        if choose.random() < 0.4:
            return text + choose.choice(("\n", "\n\n")) + other
        head = mine[: choose.randint(1, len(mine))]
        return "\n".join([*head, *theirs[choose.randrange(len(theirs)) :]])


def texts_in(literals: Sequence[str]) -> list[str]:
    """The texts among literals in source form."""
    found = []
    for literal in literals:
        try:
            value = ast.literal_eval(literal)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if isinstance(value, str):
            found.append(value)
    return found
