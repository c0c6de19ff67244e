"""Lists settings with value and source, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from hybridgen.report.visible import visible

SCHEMA_VERSION = 1

_WIDEST = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its key, its value and the place that the value came from."""

    key: str
    value: str | float | bool | list[str] | None
    source: str


def as_lines(rows: Sequence[Row]) -> str:
    """``rows`` in three columns; an unset value and an empty list are a dash."""
    values = [visible(_in_a_line(row.value)) for row in rows]
    # TOML writes truth values in lower case, and so does everything that reads them.
    values = [value.lower() if value in ("True", "False") else value for value in values]
    key_width = max((len(row.key) for row in rows), default=0)
    # A long list runs over its column instead of pushing all sources away.
    value_width = max((len(value) for value in values if len(value) <= _WIDEST), default=0)
    return "\n".join(
        f"{row.key:{key_width}}  {value:{value_width}}  {visible(row.source)}"
        for row, value in zip(rows, values, strict=True)
    )


def as_json(rows: Sequence[Row], user_file: str) -> str:
    """``rows`` and the path of the user's own file as one JSON document."""
    settings = {row.key: {"value": row.value, "source": row.source} for row in rows}
    document = {"schema_version": SCHEMA_VERSION, "user_file": user_file, "settings": settings}
    return json.dumps(document, indent=2)


def _in_a_line(value: str | float | bool | list[str] | None) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "-"
    return "-" if value is None else str(value)
