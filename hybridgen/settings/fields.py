"""The settings themselves: their names, types, defaults and meanings."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PrivateAttr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from hybridgen.settings.found import Ceiling, Found

TABLES: Final = ("labels", "gemini", "onprem", "ledger", "security")
"""Tables of a settings file: ``terms`` in ``[gemini]`` is the field ``gemini_terms``."""

LONGEST_PROJECT_BUDGET: Final = 120.0

EFFORTS: Final[Mapping[str, float]] = MappingProxyType(
    {"quick": 30.0, "normal": LONGEST_PROJECT_BUDGET, "thorough": 480.0}
)
"""Seconds for one module that each effort means."""

USUAL_HEADERS: Final = (
    "Confidential",
    "Proprietary",
    "Trade secret",
    "Strictly private",
    "Internal use only",
    "All rights reserved",
)

LEVELS: Final = ("none", "best-effort", "sockets", "kernel")
"""Of kernel locks, the loosest first."""

MARKS: Final = ("labels_public", "labels_internal", "labels_confidential")
"""Settings that add up: each place adds its patterns, none replaces another's."""


def _web_address(text: str) -> str:
    """``text`` if it is the address of a service, without a final slash.

    Raises:
        ValueError: it is not.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write https://HOST or https://HOST:PORT")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address must hold no name and no password")
    if parts.query or parts.fragment:
        raise ValueError("an address must end before ? and #")
    _ = parts.port  # raises what is wrong with it
    return text.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]
Word = Annotated[str, Field(min_length=1)]
Words = tuple[Word, ...]


class Settings(BaseSettings):
    """All settings of one run; frozen. Built by :func:`hybridgen.settings.load_settings`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )

    backend: Literal["auto", "local", "gemini", "onprem"] = Field(
        "auto",
        description="Where prompts go; `auto` asks the outermost that each label allows, `local` "
        "is a model on this machine.",
    )
    model: str | None = Field(
        None,
        min_length=1,
        description="Name of a manifest, or path of a `.gguf` file; unset: the best installed.",
    )
    model_folder: Path | None = Field(
        None, description="Where models are kept; unset: one in the user's cache folder."
    )
    offline: bool = Field(False, description="Never touch the network, in any command.")
    effort: Literal["quick", "normal", "thorough"] = Field(
        "normal",
        description="How long is searched and asked for what is left open: `quick` ends early, "
        "`thorough` goes on for long.",
    )
    budget: float | None = Field(
        None,
        gt=0,
        description="Wall seconds for one module, loading the model included; unset: 30, 120 or "
        "480, by the effort.",
    )
    tests: str | None = Field(
        None,
        min_length=1,
        description="The tests folder, relative to the project's root; unset: found by looking.",
    )
    python: str | None = Field(
        None,
        min_length=1,
        description="The interpreter that runs the project's code; unset: found by looking.",
    )
    # llama.cpp takes 2**32 - 1 as "pick one at random".
    seed: int = Field(0, ge=0, lt=2**32 - 1, description="Seed of everything drawn at random.")
    temperature: float = Field(0.7, ge=0, le=2, description="How varied the model's answers are.")
    max_tokens: int = Field(320, ge=16, le=8192, description="Cap on the tokens of one answer.")
    context_tokens: int = Field(
        4096, ge=512, le=262_144, description="Tokens that the model holds at once."
    )
    threads: int | None = Field(
        None, ge=1, le=1024, description="Threads of the model; unset: the cores we may use."
    )
    gpu_layers: int = Field(
        0,
        ge=-1,
        le=10_000,
        description="Layers of the model that a graphics card computes; 0: none, -1: all.",
    )
    sandbox: Literal["required", "off"] = Field(
        "required",
        description="`required` runs code only in a locked process; `off` runs it unprotected.",
    )
    memory_limit_mb: int = Field(2048, ge=64, description="Memory for the code under test, in MiB.")
    call_timeout: float = Field(2.0, gt=0, description="Seconds for one candidate test.")
    line_length: int = Field(88, ge=40, le=320, description="Line length of written tests.")
    suspects: Literal["report", "xfail", "drop"] = Field(
        "report",
        description="What becomes of likely bugs: `report` says them, `xfail` writes tests too, "
        "`drop` leaves them out.",
    )
    cache: bool = Field(
        True, description="Keep a model's answers, so that the same question is asked once."
    )
    log_file: Path | None = Field(
        None, description="Where the engine's log goes; unset: the user's state folder."
    )
    context: Literal["raise", "drop"] = Field(
        "raise",
        description="What becomes of stricter text around a target: `raise` makes the whole "
        "prompt as strict, `drop` leaves that text out.",
    )
    labels_public: Words = Field(
        (), description="Patterns, as in `.gitignore`, of files that anybody may read."
    )
    labels_internal: Words = Field(
        (), description="Patterns of files that a trusted server in the building may read."
    )
    labels_confidential: Words = Field(
        (), description="Patterns of files that stay on this machine, whatever else marks them."
    )
    labels_headers: Words = Field(
        USUAL_HEADERS,
        description="Words in a file's first lines that make it confidential; a project's and the "
        "organisation's are added.",
    )
    labels_packages_public: Words = Field(
        (),
        description="Installed packages that anybody may read, so that code that needs them may "
        "run where its prompts leave this machine: names, `*`, and `!name` for all but one.",
    )
    labels_packages_internal: Words = Field(
        (), description="The same for a trusted server in the building."
    )
    gemini_sdk: Literal["google-genai", "google-generativeai"] = Field(
        "google-genai",
        description="What speaks to Gemini; `google-generativeai` cannot switch storage off.",
    )
    gemini_model: str = Field(
        "gemini-flash-latest",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Name of the model at Google.",
    )
    gemini_terms: Literal["unpaid", "paid", "paid-no-storage", "vertex"] | None = Field(
        None,
        description="The terms that hold for your key, see `docs/data-use.md`; without them "
        "nothing is sent.",
    )
    gemini_acknowledge_unpaid: bool = Field(
        False,
        description="`true`: I know that people may read what an unpaid key sends, and that "
        "Google learns from it.",
    )
    gemini_url: WebAddress | None = Field(
        None, description="Base address of the service; unset: Google's."
    )
    gemini_proxy: WebAddress | None = Field(
        None, description="Proxy on the way to Gemini; variables like `HTTPS_PROXY` are ignored."
    )
    gemini_ca: Path | None = Field(
        None, description="Certificates to trust on the way to Gemini; unset: the usual ones."
    )
    gemini_max_requests: int = Field(
        200, ge=0, description="The most requests to Gemini in one run."
    )
    gemini_max_tokens: int = Field(
        500_000, ge=0, description="The most tokens, sent and received, with Gemini in one run."
    )
    onprem_url: WebAddress | None = Field(
        None,
        description="Base address of a model server in the building, such as "
        "`https://models.example.com/v1`.",
    )
    onprem_model: str | None = Field(
        None, min_length=1, description="Name of the model on that server."
    )
    onprem_trusted_hosts: Words = Field(
        (), description="Hosts that may read internal code; a server elsewhere is never asked."
    )
    onprem_ca: Path | None = Field(
        None, description="Certificates to trust on the way to that server; unset: the usual ones."
    )
    onprem_parallel: int = Field(
        4,
        ge=1,
        le=64,
        description="Requests to that server at the same time; 1 where it answers one by one.",
    )
    ledger_keep_text: bool = Field(
        True, description="Keep the text of what was sent, for `hybridgen audit show --text`."
    )

    security_minimum_level: Literal["none", "best-effort", "sockets", "kernel"] = Field(
        "none",
        description="Kernel locks without which no code is run, not even with "
        "`--unsafe-no-sandbox`: `best-effort`, `sockets` or `kernel`; the strictest of all places "
        "holds.",
    )

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)
    _found: dict[str, tuple[Found, ...]] = PrivateAttr(default_factory=dict)
    _ceiling: Ceiling = PrivateAttr(default_factory=Ceiling)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take given values only: `load_settings` reads the places (see the package's text)."""
        return (init_settings,)

    @property
    def seconds(self) -> float:
        """The time of one module: the budget, or what the effort means."""
        return EFFORTS[self.effort] if self.budget is None else self.budget

    @property
    def ceiling(self) -> Ceiling:
        """What the organisation's file leaves open; everything where there is none."""
        return self._ceiling

    def source_of(self, key: str) -> str:
        """Where the value of ``key`` came from, for people.

        Raises:
            KeyError: there is no such setting.
        """
        if key not in type(self).model_fields:
            raise KeyError(key)
        return self._sources.get(key, "default")

    def found(self, key: str) -> tuple[Found, ...]:
        """Every place that sets ``key``, the strongest first; () where the default holds.

        Raises:
            KeyError: there is no such setting.
        """
        if key not in type(self).model_fields:
            raise KeyError(key)
        return self._found.get(key, ())


def shown_key(field: str) -> str:
    """The name of a field as a settings file has it: ``gemini_terms`` is ``gemini.terms``."""
    table, separator, rest = field.partition("_")
    return f"{table}.{rest}" if separator and table in TABLES else field


def in_toml(value: object) -> str:
    """A value as a settings file has it; None, which TOML does not know, is said in words."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(in_toml, value))}]"
    return repr(value)


def kinds_of(annotation: object) -> frozenset[type]:
    """The plain types that a field takes; a list of words is a ``tuple``."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return frozenset().union(*map(kinds_of, typing.get_args(annotation)))
    if origin is Literal:
        return frozenset(type(choice) for choice in typing.get_args(annotation))
    if origin is Annotated:
        return kinds_of(typing.get_args(annotation)[0])
    plain = origin or annotation
    return frozenset([plain]) if isinstance(plain, type) else frozenset()
