"""Writes data down in the formats that code reads from files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

MALFORMED: Mapping[str, tuple[str, ...]] = {
    "ini": ("a = 1\n", "[a]\nb\n"),
    "json": ("{", "abc", "[1, 2]"),
    "toml": ("a = \n", "[a\n"),
    "xml": ("<a>", "abc"),
    "csv": ("a\n", "a,b\n1\n"),
    "py": ("def f(:\n", "'open\n"),
    "": ("abc", "\n\n"),
}
"""Texts that are none of the format, or hold something else than it mostly does."""

SUFFIXES: Mapping[str, str] = {
    ".json": "json",
    ".toml": "toml",
    ".cfg": "ini",
    ".ini": "ini",
    ".conf": "ini",
    ".csv": "csv",
    ".xml": "xml",
    ".py": "py",
}
"""Formats by the end of a file's name."""


def format_of(name: str) -> str:
    """The format that a file's name speaks for, empty for plain text."""
    return SUFFIXES.get(f".{name.rpartition('.')[2]}", "") if "." in name else ""


def file_name(kind: str) -> str:
    """A plain name for a file of a format."""
    ending = next((suffix for suffix, known in SUFFIXES.items() if known == kind), ".txt")
    return f"data{ending}"


def text_of(kind: str, data: object, root: str = "root") -> str:
    """Data as a text of a format; of plain texts, data are the lines.

    Args:
        root: the name of the outermost element of XML.
    """
    if kind == "json":
        return json.dumps(data)
    if kind == "ini":
        return _sections(data)
    if kind == "toml":
        return "\n".join(_tables(data, "")) + "\n" if isinstance(data, dict) else ""
    if kind == "csv":
        return _table(data)
    if kind == "xml":
        return _element(root, data)
    if kind == "py" and isinstance(data, dict):
        return "".join(f"{name} = {value!r}\n" for name, value in data.items())
    lines = data if isinstance(data, list) else [data]
    return "".join(f"{line}\n" for line in lines)


def _sections(data: object) -> str:
    """Sections with options; a value of several lines goes on below, indented."""
    blocks = []
    for section, options in data.items() if isinstance(data, dict) else ():
        lines = [f"[{section}]"]
        for name, value in options.items() if isinstance(options, dict) else ():
            text = str(value).replace("\n", "\n    ")
            lines.append(f"{name} ={'' if text[:1] == chr(10) else ' '}{text}".rstrip())
        blocks.append("\n".join(lines) + "\n")
    return "".join(blocks)


def _tables(data: dict[object, object], path: str) -> list[str]:
    """Lines of TOML: plain values first, then the tables below."""
    plain = {key: value for key, value in data.items() if not isinstance(value, dict)}
    lines = [f"[{path}]"] if path and (plain or not data) else []
    lines += [f"{_key(key)} = {_value(value)}" for key, value in plain.items() if value is not None]
    for key, value in data.items():
        if isinstance(value, dict):
            lines += _tables(value, f"{path}.{_key(key)}" if path else _key(key))
    return lines


def _key(key: object) -> str:
    text = str(key)
    return text if text.replace("-", "_").isidentifier() else json.dumps(text)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value if item is not None)}]"
    if isinstance(value, dict):
        pairs = (f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    return json.dumps(value)


def _table(data: object) -> str:
    """Rows, with a line of names above if they are records."""
    rows = data if isinstance(data, list) else []
    names = list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    if names:
        writer.writerow(names)
    for row in rows:
        if isinstance(row, dict):
            writer.writerow([row.get(name, "") for name in names])
        else:
            writer.writerow(row if isinstance(row, list) else [row])
    return stream.getvalue()


def _element(name: str, data: object) -> str:
    if isinstance(data, list):
        return "".join(_element(name, item) for item in data)
    parts = data if isinstance(data, dict) else {"#text": data}
    attributes = "".join(
        f" {key[1:]}={quoteattr(str(value))}" for key, value in parts.items() if key[:1] == "@"
    )
    inner = escape(str(parts.get("#text", "")))
    inner += "".join(_element(key, value) for key, value in parts.items() if key[:1] not in "@#")
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"
