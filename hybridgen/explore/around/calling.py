"""What calls in code ask of their arguments: functions of libraries, methods, the module's own."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Protocol

from hybridgen.domain import Target, TargetKind
from hybridgen.explore.around import library
from hybridgen.explore.around.imported import dotted
from hybridgen.explore.values.asked import Asked


class ReadsCode(Protocol):
    """The reading that a call is a part of."""

    targets: dict[str, Target]
    imported: dict[str, str]

    def value(self, node: ast.expr | None) -> Asked:
        """What an expression is worth."""

    def joined(self, folder: Asked, name: Asked) -> Asked:
        """``folder / name``."""

    def called(self, target: Target, bound: dict[str, Asked]) -> Asked:
        """What a definition of the module gives, given what is bound to its parameters."""

    def here(self) -> Asked:
        """The working folder."""


class Calls:
    """Reads calls."""

    def __init__(self, reading: ReadsCode) -> None:
        self._reading = reading

    def value(self, node: ast.Call) -> Asked:
        """What a call gives."""
        reading = self._reading
        if isinstance(node.func, ast.Attribute):
            owner = reading.value(node.func.value)
            method = reading.targets.get(f"{owner.owner}.{node.func.attr}")
            if method is not None:
                return self._own(method, node)
        elif isinstance(node.func, ast.Name) and node.func.id in reading.targets:
            return self._own(reading.targets[node.func.id], node)
        values = [reading.value(argument) for argument in node.args]
        named = {word.arg: reading.value(word.value) for word in node.keywords}
        root, dot, rest = dotted(node.func).partition(".")
        full = f"{reading.imported.get(root, root)}{dot}{rest}"
        first = values[0] if values else Asked()
        found = self._function(full, first, values, node)
        if found is None and isinstance(node.func, ast.Attribute):
            owner = reading.value(node.func.value)
            for methods in (self._of_parser, self._of_path, self._of_text, self._of_data):
                found = methods(owner, node.func.attr, values, node)
                if found is not None:
                    break
        return found if found is not None else named.get("default") or Asked()

    def _own(self, target: Target, node: ast.Call) -> Asked:
        """A call of a definition of the module: its parameters are worth what it is given."""
        bound: dict[str, Asked] = {}
        for at, argument in enumerate(node.args):
            value = self._reading.value(argument)
            if at < len(target.parameters) and not isinstance(argument, ast.Starred):
                bound[target.parameters[at].name] = value
        for word in node.keywords:
            value = self._reading.value(word.value)
            if word.arg:
                bound[word.arg] = value
        if target.kind is TargetKind.CLASS and "Exception" in "".join(target.bases):
            return Asked()
        return self._reading.called(target, bound)

    # ---- functions of libraries

    def _function(
        self, full: str, first: Asked, values: Sequence[Asked], node: ast.Call
    ) -> Asked | None:
        if full in library.TEXTS:
            return first.read_as(library.TEXTS[full])
        if full in library.STREAMS:
            return self._stream(full, first)
        if full in library.PARSERS:
            return Asked(format="ini")
        if full in library.OPENING:
            return _opened(self._path(first), node, 1)
        if full in library.PATHS:
            return self._joined(values) if values else self._reading.here()
        if full == "os.path.join":
            return self._joined(values)
        if full in ("os.getcwd", "pathlib.Path.cwd"):
            return self._reading.here()
        if full.startswith(("os.", "zipfile.", "tarfile.", "glob.")) or full in library.SAME_PATH:
            return self._system(full, first)
        return self._builtin(full, first, values)

    def _stream(self, full: str, first: Asked) -> Asked:
        kind = library.STREAMS[full]
        is_path = first.role == "path" or (kind == "xml" and not _is_stream(first))
        text = first.text() if is_path else first
        text.use(*(["binary"] if full in library.BINARY else []))
        if not is_path:
            text.use("stream")
        parsed = text.read_as(kind)
        if kind != "csv":
            return parsed
        text.use("rows" if full.endswith(".reader") else "records")
        return parsed

    def _path(self, value: Asked) -> Asked:
        """A path; a file that the code names itself is one in the working folder."""
        if not value.known:
            return value.use("path")
        return self._joined([value])

    def _joined(self, values: Sequence[Asked]) -> Asked:
        path = values[0] if not values[0].known else self._reading.here()
        rest = values[1:] if not values[0].known else values
        path.use("path")
        for value in rest:
            path = self._reading.joined(path, value)
        return path

    def _system(self, full: str, value: Asked) -> Asked | None:
        name = full.rpartition(".")[2]
        if full in library.SAME_PATH:
            return value
        if full in ("os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob"):
            path = self._path(value)
            if full.startswith("glob."):
                return Asked(item=path)
            path.use("folder", "walked")
            entry = path.items().use("path")
            if name == "scandir":
                return Asked(item=entry)
            names = Asked(item=entry.last(), keys=path.keys, uses={"names": None})
            if name == "listdir":
                return names
            return Asked(item=Asked(parts=(path, names, names)))
        for asked, words in (
            (library.FILE_QUESTIONS, ("file",)),
            (library.FOLDER_QUESTIONS, ("folder",)),
            (library.PATH_QUESTIONS, ("path",)),
            (library.WRITING, ("write",)),
        ):
            if full in asked:
                self._path(value).use(*words)
                return Asked()
        if full == "os.path.dirname":
            return self._path(value).use("up").folder().use("path")
        if full == "os.path.basename":
            return value.last()
        if full == "os.path.splitext":
            return Asked(parts=(value, value.last())) if value.role == "path" else None
        if full == "os.path.split":
            return Asked(parts=(value.folder().use("path"), value.last()))
        if full in ("zipfile.ZipFile", "tarfile.open"):
            return self._path(value).text().read_as("archive")
        return None

    def _builtin(self, full: str, first: Asked, values: Sequence[Asked]) -> Asked | None:
        if full in ("int", "float", "bool", "Decimal", "decimal.Decimal"):
            first.use("int")
            return Asked()
        if full == "next":
            return first.items()
        if full.rpartition(".")[2] in library.SAME and "." not in full.removeprefix("collections."):
            return first
        if full == "enumerate":
            return Asked(item=Asked(parts=(Asked(), first.use("iterated").items())))
        if full == "zip":
            return Asked(item=Asked(parts=tuple(value.items() for value in values)))
        if full in ("io.StringIO", "io.BytesIO", "StringIO"):
            return first
        if full in ("re.sub", "re.subn") and len(values) > 2:
            return values[2]
        if full == "isinstance" and first.role not in ("path",):
            first.use("checked")
        return None

    # ---- methods

    def _of_parser(
        self, owner: Asked, name: str, values: Sequence[Asked], node: ast.Call
    ) -> Asked | None:
        if name in library.PARSER_METHODS and not owner.parts and owner.format != "ini":
            if name not in ("getint", "getboolean", "getfloat") or len(values) > 1:
                owner.format = owner.format or "ini"
        if owner.format == "ini" and name == "sections":
            owner.use("mapping").items()
            owner.name = owner.name or Asked()
            return Asked(item=owner.name)
        if owner.format != "ini" or not values:
            return Asked(item=Asked(known=())) if owner.format == "ini" else None
        first = values[0]
        if name == "read":
            for path in (first, *([first.item] if first.item else []), *first.parts):
                text = self._path(path).text()
                text.format, text.parsed = "ini", owner
            return Asked().use("read")
        if name in ("read_string", "read_file", "readfp"):
            first.use(*(["stream"] if name != "read_string" else []))
            first.format, first.parsed = "ini", owner
            return Asked()
        if not name.startswith("get") and name not in ("items", "options", "has_option"):
            return owner.key(first.known).use("section") if name == "has_section" else None
        section = (owner.key(first.known) if first.known else owner.items()).use("section")
        if name == "items":
            return Asked(item=Asked(parts=(Asked(), section.items())))
        if name == "options" or len(values) < 2:
            return Asked(item=Asked())
        option = section.key(values[1].known) if values[1].known else section.items()
        return option.use(*({"getint": ["int"], "getboolean": ["bool"]}.get(name, ())))

    def _of_path(
        self, owner: Asked, name: str, values: Sequence[Asked], node: ast.Call
    ) -> Asked | None:
        if owner.format or any(t.name == name and t.parent for t in self._reading.targets.values()):
            return None
        first = values[0] if values else Asked()
        if name in ("read_text", "read_bytes"):
            return owner.text().use(*(["binary"] if name == "read_bytes" else []))
        if name in ("write_text", "write_bytes"):
            owner.use("path", "write")
            return Asked()
        if name == "open" and (owner.role == "path" or not values or _mode(node, 0)):
            return _opened(owner, node, 0)
        if name == "iterdir":
            return Asked(item=owner.use("path", "folder", "walked").items().use("path"))
        if name in ("glob", "rglob") and first.known:
            owner.use("path", "folder")
            deep = [f"**/{text}" if name == "rglob" else text for text in first.known]
            return Asked(item=owner.key(deep).use("path"))
        if name == "joinpath":
            for value in values:
                owner = self._reading.joined(owner, value)
            return owner
        if name == "with_name":
            return self._reading.joined(owner.folder().use("path"), first)
        if name in library.SAME_PATH_METHODS:
            return owner.use("path")
        for names, word in (
            (library.FILE_METHODS, "file"),
            (library.FOLDER_METHODS, "folder"),
            (library.PATH_METHODS, "path"),
        ):
            if name in names:
                owner.use("path", word)
                return Asked()
        return None

    def _of_text(
        self, owner: Asked, name: str, values: Sequence[Asked], node: ast.Call
    ) -> Asked | None:
        known = [text for value in values for text in value.known]
        if name in ("startswith", "endswith"):
            noted = owner.heads if name == "startswith" else owner.tails
            noted.update(dict.fromkeys(known))
            return Asked().use("texts")
        if name in ("split", "rsplit", "partition", "rpartition"):
            owner.use("split")
            separator = known[0] if known else " "
            fresh = (Asked().use("piece"), Asked().use("piece"))
            left, right = owner.pieces.setdefault(separator, fresh)
            parts = (left, right) if "split" in name else (left, Asked(), right)
            return Asked(item=right, parts=parts, uses={"split": None})
        if name == "splitlines":
            return owner.use("lines")
        if name in library.FINDING and owner.format == "xml":
            return None
        if name in ("removeprefix", "count", "find", "index") and known:
            owner.heads.update(dict.fromkeys(known))
        if name in library.TEXT_METHODS:
            if name in ("readline", "readlines"):
                owner.use("lines", "stream" if owner.role != "path" else "lines")
            elif name == "read" and not values:
                owner.use("stream")
            elif name in ("read", "open") and values and owner.format == "archive":
                known = list(values[0].known)
                return (owner.key(known) if known else owner.items()).text()
            return owner
        return None

    def _of_data(
        self, owner: Asked, name: str, values: Sequence[Asked], node: ast.Call
    ) -> Asked | None:
        known = values[0].known if values else ()
        if known and name in library.FINDING_ELEMENTS and not (owner.format or owner.known):
            owner.format = "xml"
        if owner.format == "xml" and "attributes" not in owner.uses:
            return self._of_element(owner, name, known)
        if name in library.KEY_METHODS and values:
            return owner.use("got").key(names_as_keys(owner, known)) if known else owner.items()
        if name in ("getint", "getboolean", "getfloat") and known:
            return owner.key(known).use("int" if name == "getint" else "bool")
        if name == "items":
            return Asked(item=Asked(parts=(Asked(), owner.use("mapping").items())))
        if name == "values":
            return Asked(item=owner.use("mapping").items())
        return Asked() if name == "keys" else None

    def _of_element(self, owner: Asked, name: str, known: Sequence[str]) -> Asked | None:
        if name == "get" and known:
            return owner.key([f"@{text}" for text in known])
        if name not in library.FINDING:
            return None
        child = owner
        for text in known[:1]:
            for part in re.findall(r"[\w:-]+", text):
                child = child.key((part,))
                child.format = "xml"
        if not known:
            child = owner.items()
            child.format = "xml"
        if name == "findtext":
            return child.key(("#text",))
        return child if name == "find" else Asked(item=child.use("many"))


def names_as_keys(value: Asked, known: Sequence[str]) -> tuple[str, ...]:
    """Names as keys of a value: attributes of an element stand apart from its children."""
    return tuple(f"@{name}" for name in known) if "attributes" in value.uses else tuple(known)


def _opened(path: Asked, node: ast.Call, at: int) -> Asked:
    mode = _mode(node, at)
    if mode[:1] in ("w", "a", "x"):
        path.use("path", "write")
        return Asked()
    return path.text().use(*(["binary"] if "b" in mode else []))


def _mode(node: ast.Call, at: int) -> str:
    """The mode that a file is opened in, empty if it is not said."""
    given = [node.args[at]] if len(node.args) > at else []
    given += [word.value for word in node.keywords if word.arg == "mode"]
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value if re.fullmatch(r"[rwaxbt+U]{1,4}", value.value) else ""
    return ""


def _is_stream(value: Asked) -> bool:
    return "stream" in value.uses
