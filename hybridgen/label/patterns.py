"""Path patterns in gitignore syntax, matched in two ways.

What loosens a label is matched narrowly: by case, on the real path alone. What tightens one is
matched broadly: whatever the case and the Unicode form of a name, on every name that leads to the
file. In each list the last pattern that matches decides, and a ``!`` works the other way round.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pathspec.patterns.gitignore.base import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

MOST_DEEP = 3
"""A pattern with more ``**`` could take minutes for a deep path; nobody needs one."""

_STAR = "[^/]*"


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
    """

    text: str
    is_negative: bool
    exact: re.Pattern[str]
    loose: re.Pattern[str]

    def is_in(self, name: str) -> bool:
        """Whether it matches ``name`` as it is written."""
        return self.exact.search(name) is not None

    def is_broadly_in(self, name: str) -> bool:
        """Whether it matches ``name`` in any case and Unicode form."""
        return self.is_in(name) or self.loose.search(folded(name)) is not None


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
        for step in [*folders, name] if self._has_negatives else [name]:
            found = None
            for pattern in self._patterns:
                if not pattern.is_negative and pattern.is_broadly_in(step):
                    found = pattern.text
                elif pattern.is_negative and pattern.is_in(step):
                    found = None
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
        exact, loose = _compiled(line), _compiled(folded(line))
        if exact is not None and loose is not None:
            found.append(Pattern(line, not exact.include, _regex(exact), _regex(loose)))
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


def _compiled(line: str) -> GitIgnoreSpecPattern | None:
    """The line as an expression; None if it is blank or a comment.

    Raises:
        ValueError: it is neither, and matches nothing.
    """
    try:
        pattern = GitIgnoreSpecPattern(line)
    except (GitIgnorePatternError, re.error) as error:
        raise ValueError(f"{line!r} is no pattern") from error
    if line.count("**") > MOST_DEEP:
        raise ValueError(f"{line!r} has more than {MOST_DEEP} times **")
    if pattern.regex is None:
        if line.strip() and not line.startswith("#"):
            raise ValueError(f"{line!r} is no pattern")
        return None
    return pattern
