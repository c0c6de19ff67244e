"""The organisation's file: defaults for everybody on this machine, and a ceiling.

Its place is fixed. No variable, flag or setting moves it, since a ceiling that can be moved is
none; and what is there but cannot be read or trusted stops every command. It must belong to the
administrator or the user, and nobody else may be able to write it.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from hybridgen.domain import Label
from hybridgen.errors import PolicyRefusal, SettingsError
from hybridgen.settings.fields import Word, in_toml, shown_key
from hybridgen.settings.found import Ceiling, Found
from hybridgen.settings.layers import Layer, closest, flattened, parse_toml, read_regular

_HINT: Final = "ask the administrator of this machine; no command of hybridgen works until then"

_ADDRESSES: Final = ("gemini_url", "gemini_proxy", "onprem_url")


class _Table(BaseModel):
    """The table ``[ceiling]`` as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    backends: list[Literal["local", "onprem", "gemini"]] | None = None
    loosest: Literal["public", "internal", "confidential"] = "public"
    hosts: list[Word] | None = None
    gemini_terms: list[Literal["unpaid", "paid", "paid-no-storage", "vertex"]] | None = None
    sdks: list[Literal["google-genai", "google-generativeai"]] | None = None
    https_only: bool = False
    keep_text: bool = True
    offline: bool = False


def organisation_file() -> Path:
    """The organisation's settings file on this machine; it need not exist."""
    if sys.platform == "darwin":
        return Path("/Library/Application Support/hybridgen/config.toml")
    if sys.platform == "win32":
        return Path(_program_data()) / "hybridgen" / "config.toml"
    return Path("/etc/hybridgen/config.toml")


def read_organisation(path: Path) -> tuple[Layer | None, Ceiling]:
    """The organisation's defaults and its ceiling; nothing of both where there is no file.

    Raises:
        SettingsError: the file is there, but cannot be read, is malformed, or may be written by
            somebody who may not decide.
    """
    try:
        data, found = read_regular(path)
        folder = path.parent.stat()
    except FileNotFoundError:
        return None, Ceiling()
    except OSError as error:
        raise SettingsError(
            f"the organisation's file {path} cannot be read: {error.strerror}", _HINT
        ) from error
    for what, owned in ((path, found), (path.parent, folder)):
        _check_owner(what, owned)
    values = parse_toml(data, path)
    ceiling = _ceiling(values.pop("ceiling", {}), path)
    place = f"organisation file {path}"
    layer = Layer(place, flattened(values, place), path.parent, is_organisation=True)
    return layer, ceiling


def hold_to_ceiling(found: dict[str, list[Found]], ceiling: Ceiling) -> None:
    """Refuse what contradicts the ceiling, and set what it demands.

    Args:
        found: by setting, the places that set it, the strongest first: the one that counts.

    Raises:
        PolicyRefusal: it sets what the organisation does not allow.
    """
    if ceiling.file is None:
        return
    for key, (strongest, *_) in found.items():
        rule = _broken_rule(key, strongest.value, ceiling)
        if rule is not None:
            raise PolicyRefusal(
                f"{strongest.place}: {shown_key(key)} = {in_toml(strongest.value)} is more than "
                f"the organisation's file {ceiling.file} allows ({rule})",
                f"remove it there, or ask whoever keeps {ceiling.file}",
            )
    demanded = {"offline": True} if ceiling.is_offline else {}
    if not ceiling.keeps_text:
        demanded["ledger_keep_text"] = False
    place = f"organisation file {ceiling.file} [ceiling]"
    for key, value in demanded.items():
        found[key] = [Found(value, place, is_organisation=True), *found.get(key, ())]


def _broken_rule(key: str, value: object, ceiling: Ceiling) -> str | None:
    """The rule of the ceiling that a value breaks, as the file has it."""
    if key == "offline" and ceiling.is_offline and value is not True:
        return "ceiling.offline = true"
    if key == "ledger_keep_text" and not ceiling.keeps_text and value is not False:
        return "ceiling.keep_text = false"
    if key == "gemini_sdk" and not ceiling.allows_sdk(str(value)):
        return f"ceiling.sdks = {sorted(ceiling.sdks or ())}"
    if key == "onprem_url" and not ceiling.allows_address(str(value)):
        return "ceiling.https_only = true"
    if key == "backend" and value != "auto" and not ceiling.allows_backend(str(value)):
        return f"ceiling.backends = {sorted(ceiling.backends or ())}"
    allowed = ceiling.gemini_terms
    if key == "gemini_terms" and allowed is not None and value not in allowed:
        return f"ceiling.gemini_terms = {sorted(allowed)}"
    host = urlsplit(str(value)).hostname if key in _ADDRESSES else None
    if host is not None and not ceiling.allows_host(host):
        return f"ceiling.hosts = {sorted(ceiling.hosts or ())}"
    return None


def _check_owner(path: Path, found: os.stat_result) -> None:
    """Refuse a file or folder that somebody else may have written."""
    if os.name != "posix":
        return
    if found.st_uid not in (0, os.geteuid()):
        problem = f"belongs to user {found.st_uid}, and not to root"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        problem = "may be written by others than its owner"
    else:
        return
    raise SettingsError(f"the organisation's settings cannot be trusted: {path} {problem}", _HINT)


def _ceiling(values: object, path: Path) -> Ceiling:
    try:
        table = _Table.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in ("ceiling", *first["loc"]))
        text = f"cannot be right: {first['msg'][0].lower()}{first['msg'][1:]}"
        if first["type"] == "extra_forbidden":
            question = closest(str(first["loc"][0]), _Table.model_fields)
            text = "is not a setting" + (f"; {question}" if question else "")
        raise SettingsError(f"organisation file {path}: {where} {text}", _HINT) from None
    return Ceiling(
        file=path,
        backends=None if table.backends is None else frozenset(table.backends),
        loosest=Label[table.loosest.upper()],
        hosts=None if table.hosts is None else frozenset(map(str.lower, table.hosts)),
        gemini_terms=None if table.gemini_terms is None else frozenset(table.gemini_terms),
        sdks=None if table.sdks is None else frozenset(table.sdks),
        needs_https=table.https_only,
        keeps_text=table.keep_text,
        is_offline=table.offline,
    )


def _program_data() -> str:
    """The folder for all users of a Windows machine, from its registry: a variable moves."""
    import importlib

    registry: Any = importlib.import_module("winreg")
    key = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\Shell Folders"
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, key) as folders:
        return str(registry.QueryValueEx(folders, "Common AppData")[0])
