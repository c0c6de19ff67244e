"""Other ways to read a text, so that a secret is seen however its author wrote it down.

A key is as much of a secret where a formatter split it into two literals, where it is written in
escapes, with invisible or wide characters, or encoded in base64 or hexadecimal digits. Nobody who
means to hide something from this is stopped: the code around a secret can compute anything.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

# The end of a literal and the start of the next one: "a" "b", "a" + "b", over several lines.
_BETWEEN: Final = r"[ \t\r\n]*+(?:#[^\n]*+\n[ \t\r\n]*+)*+"
_SEAM: Final = re.compile(
    rf"(?<!\\)[\"'](?![\"']){_BETWEEN}(?:(?:\+|\\\n){_BETWEEN})*+(?:\b[rRbBuUfF]{{1,2}})?[\"']"
    r"|\\\n[ \t]*"
)
_ESCAPE: Final = re.compile(
    r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\([0-7]{3})|\\([\"'/])"
)
_BASES: Final = (16, 16, 16, 8)
_UNUSUAL: Final = re.compile(r"[^\x00-\x7f]")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_TOUCHED: Final = re.compile(f"{_SEAM.pattern}|{_ESCAPE.pattern}|{_UNUSUAL.pattern}")

# Sixteen bytes: what is shorter is too short for a key. Tools wrap long ones, in literals or not.
_BASE64: Final = re.compile(
    r"[A-Za-z0-9+/_-]{22,}+"
    r"(?:(?:[\"']?[ \t]*+\\?\n[ \t]*+(?:b?[\"'])?)(?:[A-Za-z0-9+/_-]{4,}+))*+={0,2}"
)
_DIGITS: Final = re.compile(r"[A-Za-z0-9+/_-]{22,}+={0,2}")
_WRAP: Final = re.compile(r"[^A-Za-z0-9+/_=-]+(?:b[\"'])?")
_HEX: Final = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}){16,}+(?![0-9a-fA-F])")
_URL_SAFE: Final = str.maketrans("-_", "+/")
_TEXT: Final = re.compile(rb"[\t\r\n -~\x80-\xff]*+")


def plain_lines(text: str) -> Iterator[tuple[str, int]]:
    """Lines of which Python makes other text than is written there, read its way.

    Yields:
        The text, and the line where it starts, from 1.
    """
    end, line = 0, 1
    for start, stop in _ranges(text):
        line += text.count("\n", end, start)
        end = start
        plain = _plain(text[start:stop])
        if plain != text[start:stop]:
            yield plain, line


def decoded(text: str) -> Iterator[tuple[str, int]]:
    """What is text when base64 or hexadecimal digits are decoded, and the line where it starts."""
    for inner, place in itertools.chain(_from_hex(text), _from_base64(text)):
        yield inner, text.count("\n", 0, place) + 1


def _from_hex(text: str) -> Iterator[tuple[str, int]]:
    for found in _HEX.finditer(text):
        inner = _text(bytes.fromhex(found[0]))
        if inner is not None:
            yield inner, found.start()


def _from_base64(text: str) -> Iterator[tuple[str, int]]:
    for found in _BASE64.finditer(text):
        inner = _from_base64_text(_WRAP.sub("", found[0]))
        if inner is not None:
            yield inner, found.start()
            continue
        for one in _DIGITS.finditer(found[0]):  # what followed was something else
            inner = _from_base64_text(one[0])
            if inner is not None:
                yield inner, found.start() + one.start()


def from_base64(digits: str) -> bytes:
    """What base64 of either alphabet stands for, without its last group if that is cut off."""
    whole = digits.rstrip("=").translate(_URL_SAFE)
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4))
    except binascii.Error:  # one digit too many
        return base64.b64decode(whole[:-1])


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    """Whole lines that something is to be read anew in; those that touch are one."""
    first = last = -1
    for found in _TOUCHED.finditer(text):
        if found.start() < last:
            if found.end() > last:
                last = _line_end(text, found.end())
            continue
        if first >= 0:
            yield first, last
        first = text.rfind("\n", 0, found.start()) + 1
        last = _line_end(text, found.end())
    if first >= 0:
        yield first, last


def _line_end(text: str, place: int) -> int:
    """Where the line of a place ends; a line in the middle of which a match ends goes on."""
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def _plain(text: str) -> str:
    text = _ESCAPE.sub(_character, _SEAM.sub("", text))
    return text if text.isascii() else unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))


def _character(escape: re.Match[str]) -> str:
    """The character of an escape if it may be one of a key's, else the escape."""
    for digits, base in zip(escape.groups(), _BASES, strict=False):
        if digits is not None:
            code = int(digits, base)
            return chr(code) if ord(" ") <= code <= ord("~") else escape[0]
    return escape[5]


def _from_base64_text(digits: str) -> str | None:
    """The text that base64 stands for, None if it stands for none."""
    if not _TEXT.fullmatch(from_base64(digits[:20])):  # most tokens: nothing more is decoded
        return None
    return _text(from_base64(digits))


def _text(data: bytes) -> str | None:
    """What bytes say that are text, else None."""
    if not _TEXT.fullmatch(data):
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
