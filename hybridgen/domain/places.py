"""Places below ``tmp_path`` as source text: what a test may assert of files.

What a call did to files stands among the arguments that it changed
(:attr:`hybridgen.domain.StepResult.changed`), by an expression instead of a name.
"""

from __future__ import annotations

import ast
import re

# No part leads upwards or out of the folder, and none needs an escape to be shown.
_PART = r"'(?!\.\.?')[\w.=@#-][\w .~=@#-]{0,59}'"
_PLACE = rf"tmp_path(?: / {_PART}){{0,8}}"
_FOLDER = rf"(?:tmp_path|\(tmp_path(?: / {_PART}){{1,8}}\))"
_IS_PLACE = re.compile(_PLACE)
_IS_LISTING = re.compile(
    rf"sorted\(p\.name for p in {_FOLDER}\.(?:iterdir\(\)|rglob\('\*'\))\)",
)
QUESTIONS = frozenset({".exists()", ".is_dir()", ".is_file()", ".is_symlink()"})
"""What is asked of a place and answered by yes or no, as access paths."""

READERS = (".read_text()", ".read_text(encoding='utf-8')", ".read_bytes()")
"""What gives the contents of a file."""


def is_place(text: str) -> bool:
    """True for ``tmp_path / 'folder' / 'data.txt'``, and for ``tmp_path`` itself."""
    return _IS_PLACE.fullmatch(text) is not None


def is_listing(text: str) -> bool:
    """True for ``sorted(p.name for p in tmp_path.iterdir())``, or the same of a place."""
    return _IS_LISTING.fullmatch(text) is not None


def parts_of(place: str) -> tuple[str, ...]:
    """``("folder", "data.txt")`` for ``tmp_path / 'folder' / 'data.txt'``."""
    return tuple(ast.literal_eval(part) for part in place.split(" / ")[1:])
