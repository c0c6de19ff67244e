"""Jinja templates that take fragments only, so that no text enters a prompt without a label.

A template is rendered to fragments, not to a string: its own words become PUBLIC fragments and
every value stays the fragment that it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from hybridgen.domain import Fragment, Label

if TYPE_CHECKING:
    import jinja2

Value = Fragment | Sequence[Fragment] | None

_MARK = re.compile("\0(\\d+)\0")


def render(name: str, values: Mapping[str, Value]) -> tuple[Fragment, ...]:
    """The fragments of template ``name``.

    Args:
        name: file name below ``templates/`` without ``.jinja``.
        values: a fragment, a sequence of fragments or None for each variable.

    Raises:
        TypeError: a value, or anything the template writes, is not a fragment.
    """
    for variable, value in values.items():
        _require_fragments(variable, value)
    used: list[Fragment] = []

    def mark(value: object) -> str:
        if not isinstance(value, Fragment):
            raise TypeError(
                f"template {name!r} writes a {type(value).__name__}; only fragments have a label"
            )
        used.append(value)
        return f"\0{len(used) - 1}\0"

    text = _environment(mark).get_template(f"{name}.jinja").render(values)
    # Values never enter the rendered text, so nothing in a project can look like a mark.
    parts = [
        used[int(part)] if index % 2 else _ours(part, name)
        for index, part in enumerate(_MARK.split(text))
    ]
    return tuple(part for part in parts if part.text)


def is_ours(text: str) -> bool:
    """Whether every line of ``text`` stands in one of the templates, and so tells nothing."""
    sources = _sources()
    return all(any(line in source for source in sources) for line in text.split("\n"))


@cache
def _sources() -> tuple[str, ...]:
    folder = resources.files("hybridgen.prompt") / "templates"
    return tuple(file.read_text(encoding="utf-8") for file in folder.iterdir())


def _ours(text: str, name: str) -> Fragment:
    return Fragment(text, Label.PUBLIC, f"template {name}", "part of hybridgen")


def _require_fragments(variable: str, value: object) -> None:
    if value is None or isinstance(value, Fragment):
        return
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise TypeError(
            f"{variable!r} is a {type(value).__name__}; a template takes fragments only"
        )
    for item in value:
        if not isinstance(item, Fragment):
            raise TypeError(
                f"{variable!r} holds a {type(item).__name__}; a template takes fragments only"
            )


def _environment(mark: Callable[[object], str]) -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("hybridgen.prompt"),
        undefined=jinja2.StrictUndefined,
        finalize=mark,  # called with every value that a template writes
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=jinja2.select_autoescape(enabled_extensions=()),  # a prompt is not HTML
    )
