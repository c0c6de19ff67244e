"""What is known about a model before it is on this machine: one TOML file each, read strictly."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hybridgen.errors import SettingsError

CHAT_TEMPLATE_FROM_FILE = "from-file"

_Value = TypeVar("_Value")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REVISION = re.compile(r"[0-9a-f]{40}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file in a hub repository at a pinned revision."""

    repo: str
    revision: str
    file: str


@dataclass(frozen=True, slots=True)
class MirrorPart:
    """A piece of the model inside a wheel on the Python package index.

    Attributes:
        distribution: name of the distribution (``some-model-part1``).
        member: path inside the wheel.
        bytes: size of that member, unpacked.
    """

    distribution: str
    version: str
    member: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One model.

    Attributes:
        about: one line for people.
        file: name of the file in the store.
        bytes: its size.
        sha256: its hash, lower-case hex.
        licence: SPDX identifier.
        context_tokens: context length that it was trained for.
        memory_bytes: what the engine needs at its peak with 8,192 tokens of context.
        chat_template: a Jinja template, or ``"from-file"`` if the GGUF carries it.
        default_from_cores: ``pull`` without a name may choose it from this many cores on;
            None: never.
        hub: where the hub has it, or None.
        mirror: its parts in order on the package index, or None.
    """

    name: str
    about: str
    file: str
    bytes: int
    sha256: str
    licence: str
    context_tokens: int
    memory_bytes: int
    chat_template: str
    default_from_cores: int | None
    hub: HubSource | None
    mirror: tuple[MirrorPart, ...] | None


class _Table:
    """A TOML table from which every key has to be taken, with the type that it must have."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self._values = dict(values)
        self.where = where

    def take(self, key: str, kind: type[_Value]) -> _Value:
        if key not in self._values:
            raise SettingsError(f"{self.where}: `{key}` is missing")
        value = self._values.pop(key)
        # bool is an int to isinstance; no manifest has a truth value.
        if not isinstance(value, kind) or isinstance(value, bool):
            raise SettingsError(f"{self.where}: `{key}` must be of type {kind.__name__}")
        return value

    def take_optional(self, key: str, kind: type[_Value]) -> _Value | None:
        return self.take(key, kind) if key in self._values else None

    def take_matching(self, key: str, pattern: re.Pattern[str]) -> str:
        value = self.take(key, str)
        if not pattern.fullmatch(value):
            raise SettingsError(f"{self.where}: `{key}` has a value that cannot be right: {value}")
        return value

    def take_positive(self, key: str) -> int:
        value = self.take(key, int)
        if value <= 0:
            raise SettingsError(f"{self.where}: `{key}` must be positive")
        return value

    def finish(self) -> None:
        if self._values:
            names = ", ".join(f"`{name}`" for name in sorted(self._values))
            raise SettingsError(f"{self.where}: unknown key {names}")


def read_manifest(path: Path) -> Manifest:
    """Read one manifest; the file's stem is the model's name.

    Raises:
        SettingsError: it is unreadable, not TOML, lacks a key, has an unknown key or a value
            that cannot be right.
    """
    try:
        table = _Table(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: not a readable model manifest: {error}") from error
    manifest = Manifest(
        name=table.take_matching("name", _PLAIN_NAME),
        about=table.take("about", str),
        file=table.take_matching("file", _PLAIN_NAME),
        bytes=table.take_positive("bytes"),
        sha256=table.take_matching("sha256", _SHA256),
        licence=table.take("licence", str),
        context_tokens=table.take_positive("context_tokens"),
        memory_bytes=table.take_positive("memory_bytes"),
        chat_template=table.take("chat_template", str),
        default_from_cores=table.take_optional("default_from_cores", int),
        hub=_read_hub(table),
        mirror=_read_mirror(table),
    )
    table.finish()
    _check(manifest, path)
    return manifest


def _read_hub(table: _Table) -> HubSource | None:
    values = table.take_optional("hub", dict)
    if values is None:
        return None
    inner = _Table(values, f"{table.where} [hub]")
    source = HubSource(
        repo=inner.take("repo", str),
        revision=inner.take_matching("revision", _REVISION),
        file=inner.take("file", str),
    )
    inner.finish()
    return source


def _read_mirror(table: _Table) -> tuple[MirrorPart, ...] | None:
    values = table.take_optional("mirror", list)
    if values is None:
        return None
    parts = []
    for number, entry in enumerate(values, start=1):
        if not isinstance(entry, dict):
            raise SettingsError(f"{table.where}: mirror part {number} must be a table")
        inner = _Table(entry, f"{table.where} mirror part {number}")
        # The name becomes a command-line argument: it must not look like an option.
        part = MirrorPart(
            distribution=inner.take_matching("distribution", _PLAIN_NAME),
            version=inner.take_matching("version", _PLAIN_NAME),
            member=inner.take("member", str),
            bytes=inner.take_positive("bytes"),
        )
        inner.finish()
        parts.append(part)
    return tuple(parts)


def _check(manifest: Manifest, path: Path) -> None:
    """What no single value can show."""
    if manifest.name != path.stem:
        raise SettingsError(f"{path}: `name` is {manifest.name}, the file's name says {path.stem}")
    if manifest.hub is None and not manifest.mirror:
        raise SettingsError(f"{path}: neither `hub` nor `mirror` says where the model is")
    if manifest.mirror is not None:
        total = sum(part.bytes for part in manifest.mirror)
        if total != manifest.bytes:
            raise SettingsError(
                f"{path}: the mirror's parts have {total} bytes, `bytes` says {manifest.bytes}"
            )


def read_manifests(folder: Path) -> tuple[Manifest, ...]:
    """All manifests of a folder, smallest model first.

    Raises:
        SettingsError: see :func:`read_manifest`.
    """
    manifests = (read_manifest(path) for path in folder.glob("*.toml"))
    return tuple(sorted(manifests, key=lambda manifest: manifest.bytes))
