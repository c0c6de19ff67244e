"""Path patterns in gitignore syntax, matched in two ways.

What loosens a label is matched narrowly: by case, on the real path alone. What tightens one is
matched broadly: whatever the case and the Unicode form of a name, on every name that leads to the
file. In each list the last pattern that matches decides, and a ``!`` works the other way round.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pathspec.patterns.gitignore.base import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

MOST_DEEP = 3
"""A pattern with more ``**`` could take minutes for a deep path; nobody needs one."""

MOST_LONG = 4096
"""No path on Linux is longer, and a pattern of many stars takes minutes to read."""

_STAR = "[^/]*"
# An escaped character, or a class of characters up to its first bracket.
_CLASS = re.compile(r"\\.|\[[!^]?(\]?[^]]*)")
# How the expressions of pathspec end for "a", "a/" and "a/**", and what means these alone.
_ENDS = ((r"(?:(?P<ps_d>/)|$)", r"/?\Z"), (r"(?P<ps_d>/)", r"/\Z"), ("/", "/."))
_STARS = re.compile(r"\*\*\*|[^/]\*\*/")
_ODD = re.compile(r"[\\\[&|~]|--")
_CONTROL = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
_ENCODED = re.compile(r"[\0\r]")  # what a comment has that is all of a list


def folded(name: str) -> str:
    """``name`` as a file system may see it that knows neither case nor Unicode forms."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of a list of patterns.

    Attributes:
        text: as it was written.
        is_negative: True if it starts with ``!``.
        exact: finds it in a path.
        loose: finds it in a folded path.
        own: both again, without what is below it; needed in a list with exceptions only.
    """

    text: str
    is_negative: bool
    exact: re.Pattern[str]
    loose: re.Pattern[str]
    own: tuple[re.Pattern[str], ...] = ()

    def is_in(self, name: str) -> bool:
        """Whether it matches ``name`` as it is written."""
        return self.exact.search(name) is not None

    def is_broadly_in(self, name: str) -> bool:
        """Whether it matches ``name`` in any case and Unicode form."""
        return self.is_in(name) or self.loose.search(folded(name)) is not None

    def means(self, step: str) -> bool:
        """Whether it matches ``step``, a folder or a file, by itself and not by one above it.

        One that takes off a list is read as it is written, any other broadly.
        """
        if self.own[0].search(step):
            return True
        return not self.is_negative and self.own[1].search(folded(step)) is not None


class Patterns:
    """The patterns of one list, in order.

    Args:
        lines: as written; blank ones and comments are left out.

    Raises:
        ValueError: one of them is no pattern; the message has it.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._patterns = tuple(_patterns(tuple(lines)))
        self._has_negatives = any(pattern.is_negative for pattern in self._patterns)
        positive = [pattern for pattern in self._patterns if not pattern.is_negative]
        self._any_exact = _any(pattern.exact for pattern in positive)
        self._any_loose = _any(pattern.loose for pattern in positive)

    def __len__(self) -> int:
        return len(self._patterns)

    def loosening(self, real: str, names: Sequence[str]) -> str | None:
        """The pattern by which the file is on the list, read narrowly; None if it is not.

        Args:
            real: its real path, relative to the folder of the list.
            names: every name that leads there; a ``!`` for one of them takes it off the list.
        """
        if self._any_exact.search(real) is None:
            return None
        found = None
        for pattern in self._patterns:
            if not pattern.is_negative and pattern.is_in(real):
                found = pattern.text
            elif pattern.is_negative and any(pattern.is_broadly_in(name) for name in names):
                found = None
        return found

    def tightening(self, names: Sequence[str]) -> str | None:
        """The pattern by which one of ``names`` is on the list, read broadly; None if none is.

        As in git, nothing below a folder that is on the list can be taken off it.
        """
        return next((text for name in names if (text := self._tightening(name))), None)

    def _tightening(self, name: str) -> str | None:
        if not self._any_exact.search(name) and not self._any_loose.search(folded(name)):
            return None
        parts = name.split("/")
        folders = ["/".join(parts[:end]) + "/" for end in range(1, len(parts))]
        if not self._has_negatives:
            return next(p.text for p in reversed(self._patterns) if p.is_broadly_in(name))
        for step in [*folders, name]:
            found = None
            for pattern in self._patterns:
                if pattern.means(step):
                    found = None if pattern.is_negative else pattern.text
            if found is not None:
                return found
        return None


def _any(expressions: Iterator[re.Pattern[str]]) -> re.Pattern[str]:
    """One expression that finds what any of them finds; without one, nothing."""
    texts = [re.sub(r"\(\?P<\w+>", "(?:", expression.pattern) for expression in expressions]
    return re.compile("|".join(f"(?:{text})" for text in texts) or r"(?!)")


@lru_cache(maxsize=256)
def _patterns(lines: tuple[str, ...]) -> tuple[Pattern, ...]:
    found = []
    for line in lines:
        exact = _compiled(line)
        if exact is not None:
            loose = _compiled(folded(line)) or exact  # folded, a wide # would be a comment
            found.append(Pattern(line, not exact.include, _regex(exact), _regex(loose)))
    if any(pattern.is_negative for pattern in found):
        return tuple(replace(pattern, own=_own(pattern)) for pattern in found)
    return tuple(found)


def _regex(pattern: GitIgnoreSpecPattern) -> re.Pattern[str]:
    """The expression of a pattern, as one that takes no longer for a name made to take long.

    Between two stars of one step of a path, the first place that fits is as good as any other,
    so the search needs to go back to no other one.
    """
    assert pattern.regex is not None
    first, *others = pattern.regex.pattern.split(_STAR)
    if not others:
        return pattern.regex
    *inner, last = others
    steps = [f"(?>{_STAR}?{text})" if "/" not in text else f"{_STAR}{text}" for text in inner]
    return re.compile("".join([first, *steps, _STAR, last]))


def _own(pattern: Pattern) -> tuple[re.Pattern[str], ...]:
    """The expressions without their end, which lets them match all that is below."""
    if not pattern.is_negative:
        return tuple(_without_end(one, one.pattern) for one in (pattern.exact, pattern.loose))
    # For pathspec "a/**/" means "a" too, for git the folders in it alone.
    inside = "/.+" if pattern.text.rstrip().endswith("/**/") else ""
    return (_without_end(pattern.exact, "(?!)", inside),)


def _without_end(expression: re.Pattern[str], unknown: str, inside: str = "") -> re.Pattern[str]:
    """The expression with another end; ``unknown`` if it has none that is known."""
    text = expression.pattern
    for end, own in _ENDS:
        if text.endswith(end):
            return re.compile(text.removesuffix(end) + inside + own)
    return expression if text == "." else re.compile(unknown)


def _is_unsure(line: str) -> bool:
    """Whether git may read it otherwise than we do.

    That is so for stars as in ``a***`` and ``a**/b``, and for a class of characters with an
    escape in it, with a class (``[[:alpha:]]``), or with a sign that is an operation in
    expressions of Python.
    """
    classes = (found[1] or "" for found in _CLASS.finditer(line))
    stars = _STARS.search(line.removeprefix("!"))
    return stars is not None or any(_ODD.search(inside) for inside in classes)


def _compiled(line: str) -> GitIgnoreSpecPattern | None:
    """The line as an expression; None if it is blank or a comment.

    Raises:
        ValueError: it is neither, and matches nothing.
    """
    is_comment = line.startswith("#")
    # Several lines in one, or no text at all: it would match nothing.
    if (_ENCODED if is_comment else _CONTROL).search(line):
        raise ValueError(f"{line[:80]!r} has a control character")
    if is_comment:
        return None
    if len(line) > MOST_LONG:
        raise ValueError(f"a pattern has {len(line)} characters; the most are {MOST_LONG}")
    if _is_unsure(line):
        raise ValueError(f"{line!r} is not read as git reads it")
    try:
        pattern = GitIgnoreSpecPattern(line)
    except (GitIgnorePatternError, re.error) as error:
        raise ValueError(f"{line!r} is no pattern") from error
    if line.count("**") > MOST_DEEP:
        raise ValueError(f"{line!r} has more than {MOST_DEEP} times **")
    if pattern.regex is None:
        if line.strip():
            raise ValueError(f"{line!r} is no pattern")
        return None
    return pattern
