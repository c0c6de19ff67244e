"""Fingerprints of text that survive another layout: winnowed k-grams of its words.

Winnowing (Schleimer, Wilkerson, Aiken: Winnowing: local algorithms for document fingerprinting,
SIGMOD 2003) keeps of every ``WINDOW`` neighbouring k-grams the one with the least hash, so any run
of ``GRAM + WINDOW - 1`` words that two texts share leaves at least one fingerprint in both.

What is a word decides what a copy survives. Blanks, line breaks (their escapes too), quotes and
other punctuation are none, so code that was indented, formatted or quoted anew, or put into a
string literal, has the same words; keywords and names are words, and whoever renames a variable
breaks the k-grams that hold it and no others. Comments are a sequence of their own: code is known
without its comments, and copied comments are known too. Import statements stand in every file and
tell nothing, and neither does the comment with licence or copyright at the head of a file; both
are left out.

A second sequence knows code whose variables were renamed: its *shape*, which is the words and the
operators with one placeholder for every plain name. What a variable's renaming does not touch
stays: keywords, builtins, numbers, names of attributes and of what is called. Its k-grams are
longer, and the last bit of their hashes tells the two sequences apart.

The hashes made here have no key: they never leave the process, and ``gate/index.py`` keys them
before any is stored.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# Measured on 4,926 functions of 6 to 60 lines from click, jinja2, rich and eight others, against
# the files of the packages that they do not come from: three shared fingerprints find 99.0 % of
# the functions in their own file (98.6 % after ast.unparse, 80.8 % after the first variable was
# renamed), and 3 functions in other packages, each of them a true copy (jinja2's visitor and
# ast's). k = 10 finds 73.9 % after renaming; w = 6 with variety 5 finds 96.5 % unchanged.
GRAM: Final = 8
WINDOW: Final = 4
# A k-gram of fewer different words is a table or a stutter: "0 0 0 1 0 0 0 0".
VARIETY: Final = 4

# The second sequence, measured on 1,854 functions of these packages with parameters or local
# variables, all of them renamed: two shared shapes find 88.5 %, and with the first sequence, which
# finds 54.6 % alone, 93.6 % are found; 2 of 1,980 share two with another package, and one of them
# is a true copy (ast's visitor). It costs about a third of the speed of indexing. Without the
# names of attributes and calls 11.8 % are found (three telling tokens), or 91 % with 49 in other
# packages (none needed; window 4). Four telling ones find 39 %. One shape is not enough: 9
# functions have one in common with another package.
SHAPE_GRAM: Final = 16
SHAPE_WINDOW: Final = 8
SHAPE_VARIETY: Final = 6
# Names of attributes and calls, texts and numbers in it: without any it is an idiom's skeleton.
SHAPE_NAMES: Final = 2

_LONGEST_WORD: Final = 64
# Chosen k-grams that are worth the time to look which of them are equal: memory is the matter.
_MANY: Final = 2**16

# Nothing is given back: what somebody made to be slow is read once, like any other text.
_IMPORT: Final = re.compile(
    rb"[ \t]*+(?:import[ \t]++[\w., \t]++"
    rb"|from[ \t]++[\w.]++[ \t]++import[ \t]*+(?:\([^()]{0,10000}+\)|[\w., \t*]*+))"
)
_HEAD: Final = re.compile(rb"(?:[ \t]*+(?:#[^\n]*+)?\n)++")
_LICENCE: Final = re.compile(rb"(?i)copyright|licen[cs]e|all rights reserved|spdx")

# Odd constants with bits all over, from the golden ratio and from MurmurHash's successors.
_SPREAD: Final = 0x9E3779B97F4A7C15
_STEP: Final = 0xD6E8FEB86659FD93
_PLACEHOLDER: Final = 0xA0761D6478BD642F


def fingerprints(text: str, *, is_file: bool, is_every: bool = False) -> tuple[Hashes, Places]:
    """The hashes that stand for ``text``, each once, and the line (from 1) where it is first.

    Args:
        text: any text.
        is_file: it is a whole file, whose head may hold a licence.
        is_every: all k-grams, not only those that winnowing chooses: what a search may meet.
    """
    import numpy as np

    data = text.encode("utf-8", "surrogatepass")
    blanked = list(_imports(data))
    if is_file and (head := _HEAD.match(data)) and _LICENCE.search(head[0]):
        blanked.append(head.span())
    words = _words(data, blanked)
    bytes_ = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(bytes_ == ord("\n"))
    is_commented = _commented(bytes_, newlines)
    in_comment = is_commented[words.starts]
    window, shape_window = (1, 1) if is_every else (WINDOW, SHAPE_WINDOW)
    found = [
        _winnowed(words.hashes[~in_comment], words.starts[~in_comment], window),
        _winnowed(words.hashes[in_comment], words.starts[in_comment], window),
        _shapes(*_shape_tokens(bytes_, is_commented, words, blanked), shape_window),
    ]
    grams = np.concatenate([one[0] for one in found])
    places = np.concatenate([one[1] for one in found])
    distinct, first = np.unique(grams, return_index=True)
    return distinct, np.searchsorted(newlines, places[first]) + 1


def are_shapes(hashes: Hashes) -> Flags:
    """Which of the fingerprints are of the second sequence: the last bit says it."""
    import numpy as np

    flags: Flags = (hashes & np.uint64(1)).astype(np.bool_)
    return flags


def _imports(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the import statements are."""
    end = 0
    for found in re.finditer(rb"import", data):
        if found.start() < end:  # a line has one, at its start
            continue
        line = data.rfind(b"\n", 0, found.start()) + 1
        end = data.find(b"\n", found.end())
        end = len(data) if end < 0 else end
        statement = _IMPORT.match(data, line)
        if statement:
            yield statement.span()


class Some(NamedTuple):
    """Hashes in ascending order, and which first 16 bits they have."""

    hashes: Hashes
    may_be: Flags


class _Words(NamedTuple):
    """The hash of each word, and where it starts and ends."""

    hashes: Hashes
    starts: Places
    ends: Places


def _words(data: bytes, blanked: list[tuple[int, int]]) -> _Words:
    """All words; nothing within ``blanked`` is one."""
    import numpy as np

    is_word = np.zeros(len(data) + 2, np.bool_)
    bytes_ = np.frombuffer(data, np.uint8)
    np.take(_word_bytes(), bytes_, out=is_word[1:-1])
    escapes = np.flatnonzero(bytes_[:-1] == ord("\\"))
    escaped = bytes_[escapes + 1]
    for letter in b"nrt":
        is_word[escapes[escaped == letter] + 2] = False
    for start, end in blanked:
        is_word[start + 1 : end + 1] = False
    edges = np.flatnonzero(is_word[1:] != is_word[:-1])
    starts, ends = edges[::2], edges[1::2]
    lengths = np.minimum(ends - starts, _LONGEST_WORD)
    return _Words(_hashed(data, starts, lengths), starts, ends)


@cache
def _word_bytes() -> Flags:
    """For each byte whether it belongs to a word; all beyond ASCII do."""
    import numpy as np

    return np.array([byte >= 128 or chr(byte).isalnum() or byte == ord("_") for byte in range(256)])


def _hashed(data: bytes, starts: Places, lengths: Places) -> Hashes:
    """A hash of each word, taken in eight bytes at a time for all words at once."""
    import numpy as np

    # Every offset as the start of a little-endian integer of eight bytes.
    eights: Hashes = np.ndarray(
        (len(data) + _LONGEST_WORD,),
        np.dtype("<u8"),
        buffer=data + bytes(_LONGEST_WORD + 8),
        strides=(1,),
    )
    masks = np.array([2 ** (8 * count) - 1 for count in range(9)], np.uint64)
    hashes = lengths.astype(np.uint64) * np.uint64(_SPREAD)
    longer = np.arange(len(starts))
    for offset in range(0, _LONGEST_WORD, 8):
        left = lengths[longer] - offset
        chunk = eights[starts[longer] + offset] & masks[np.minimum(left, 8)]
        mixed = (hashes[longer] ^ chunk) * np.uint64(_SPREAD)
        hashes[longer] = mixed ^ (mixed >> np.uint64(29))
        longer = longer[left > 8]
        if not len(longer):
            break
    return hashes


def _commented(data: NDArray[np.uint8], newlines: Places) -> Flags:
    """For each byte whether it is in a comment: after a ``#`` at a line's start or after a blank.

    A ``#`` within a string counts too. That is the same in every copy of the line.
    """
    import numpy as np

    marks = np.flatnonzero(data == ord("#"))
    marks = marks[(marks == 0) | (data[marks - 1] <= ord(" "))]
    lines, first = np.unique(np.searchsorted(newlines, marks), return_index=True)
    change = np.zeros(len(data) + 1, np.int8)
    change[marks[first]] = 1
    change[np.append(newlines, len(data))[lines]] -= 1
    is_commented: Flags = np.cumsum(change, dtype=np.int8).astype(np.bool_)
    return is_commented


def _winnowed(words: Hashes, starts: Places, window: int) -> tuple[Hashes, Places]:
    """The chosen k-grams of a sequence of words, and where each starts."""
    import numpy as np

    grams, chosen = _chosen(words, GRAM, window)
    chosen = _each_once(grams, chosen)
    chosen = chosen[_different(words, chosen, GRAM) >= VARIETY]
    return grams[chosen] & ~np.uint64(1), starts[chosen]


def _shape_tokens(
    data: NDArray[np.uint8], is_commented: Flags, words: _Words, blanked: list[tuple[int, int]]
) -> tuple[Hashes, Hashes, Places]:
    """Words and signs of the code, with zero for what tells nothing as the second of three."""
    import numpy as np

    signs = np.take(_sign_hashes(), data)
    is_token = signs != 0
    for start, end in blanked:
        is_token[start:end] = False
    is_token[words.starts] = True
    starts = np.flatnonzero(is_token)
    tokens = signs[starts]
    is_word = tokens == 0
    hashes, is_telling = _placeheld(data, words)
    tokens[is_word] = hashes
    telling = np.zeros(len(tokens), np.uint64)
    telling[is_word] = np.where(is_telling, hashes, np.uint64(0))
    is_code = ~is_commented[starts]
    return tokens[is_code], telling[is_code], starts[is_code]


def _shapes(tokens: Hashes, telling: Hashes, starts: Places, window: int) -> tuple[Hashes, Places]:
    """The chosen k-grams with a placeholder for every plain name, and where each starts."""
    import numpy as np

    grams, chosen = _chosen(tokens, SHAPE_GRAM, window)
    chosen = _each_once(grams, chosen)
    chosen = chosen[_different(tokens, chosen, SHAPE_GRAM) >= SHAPE_VARIETY]
    # Beside the zero for what tells nothing; 16 telling tokens in a row are a list of data.
    chosen = chosen[_different(telling, chosen, SHAPE_GRAM) > SHAPE_NAMES]
    return grams[chosen] | np.uint64(1), starts[chosen]


def _placeheld(data: NDArray[np.uint8], words: _Words) -> tuple[Hashes, Flags]:
    """The words with a placeholder for each plain name, and which words tell something.

    Kept are numbers, the names of attributes and calls (before a bracket), the first word of a
    text in quotes, keywords and builtins; the last two stand everywhere and tell nothing.
    """
    import numpy as np

    before = data[np.maximum(words.starts - 1, 0)]
    after = np.append(data, np.uint8(0))[words.ends]
    first = data[words.starts]
    is_digit = (first >= ord("0")) & (first <= ord("9"))
    is_quoted = (before == ord("'")) | (before == ord('"'))
    is_telling = is_digit | is_quoted | (before == ord(".")) | (after == ord("("))
    is_usual = are_among(_usual_words(), words.hashes)
    hashes = np.where(is_telling | is_usual, words.hashes, np.uint64(_PLACEHOLDER))
    return hashes, is_telling & ~is_usual


def are_among(some: Some, hashes: Hashes) -> Flags:
    """Which of ``hashes`` are among ``some``."""
    import numpy as np

    found: Flags = some.may_be[hashes >> np.uint64(48)]
    maybe = np.flatnonzero(found)
    places = np.minimum(np.searchsorted(some.hashes, hashes[maybe]), len(some.hashes) - 1)
    found[maybe] = some.hashes[places] == hashes[maybe]
    return found


def some_of(hashes: Hashes) -> Some:
    """Makes what :func:`are_among` looks into quickly."""
    import numpy as np

    may_be = np.zeros(2**16, np.bool_)
    may_be[hashes >> np.uint64(48)] = True
    return Some(np.sort(hashes), may_be)


@cache
def _usual_words() -> Some:
    """The hashes of keywords, builtins, and what a method calls its object."""
    names = [name for name in dir(builtins) if not name.startswith("_")]
    text = " ".join([*keyword.kwlist, *names, "self", "cls"])
    return some_of(_words(text.encode(), []).hashes)


@cache
def _sign_hashes() -> Hashes:
    """For each byte a hash if it is a sign that no formatter adds or takes away, else zero."""
    import numpy as np

    hashes = np.zeros(256, np.uint64)
    for sign in b"=+-*/%<>!&|^~@[]{}:.":
        hashes[sign] = (sign + 1) * _SPREAD % 2**64
    return hashes


def _chosen(tokens: Hashes, gram: int, window: int) -> tuple[Hashes, Places]:
    """The hashes of all k-grams, and which of them winnowing keeps; both are powers of two."""
    import numpy as np

    if len(tokens) < gram:
        return tokens[:0], np.zeros(0, np.int64)
    grams, step, length = tokens, _STEP, 1
    while length < gram:  # of two halves, which are known, each k-gram is made
        grams = grams[:-length] * np.uint64(step) + grams[length:]
        step, length = step * step % 2**64, 2 * length
    grams = (grams ^ (grams >> np.uint64(32))) * np.uint64(_SPREAD)
    grams ^= grams >> np.uint64(29)
    count = len(grams)
    window = min(window, count)
    least = _running(np.minimum, grams, window)
    # A k-gram is chosen if it is the least of one of the windows that it is in.
    edge = np.zeros(window - 1, np.uint64)
    most = _running(np.maximum, np.concatenate([edge, least, edge]), window)
    return grams, np.flatnonzero(most == grams)


def _each_once(grams: Hashes, chosen: Places) -> Places:
    """The first place of each chosen k-gram: of a table of zeros nearly all are chosen."""
    import numpy as np

    if len(chosen) < _MANY:
        return chosen
    first = np.unique(grams[chosen], return_index=True)[1]
    return chosen[np.sort(first)]


def _running(extreme: np.ufunc, values: Hashes, window: int) -> Hashes:
    """The least or the greatest of each ``window`` neighbouring values."""
    length = 1
    while length < window:
        step = min(length, window - length)
        values = extreme(values[:-step], values[step:])
        length += step
    return values


def _different(tokens: Hashes, chosen: Places, gram: int) -> Places:
    """How many different tokens each chosen k-gram has."""
    import numpy as np

    inner = np.sort(np.stack([tokens[chosen + index] for index in range(gram)], axis=1), axis=1)
    different: Places = (np.diff(inner, axis=1) != 0).sum(axis=1) + 1
    return different
