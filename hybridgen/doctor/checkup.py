"""All checks in their order; each is given the values it needs, and none can end the others."""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from hybridgen.doctor.disk import check_disk
from hybridgen.doctor.installation import check_packages, check_version
from hybridgen.doctor.keeping import check_files, check_ledger, check_trust
from hybridgen.doctor.locks import Demand, check_locks
from hybridgen.doctor.models import check_memory, check_model
from hybridgen.doctor.policy import check_organisation, check_settings
from hybridgen.doctor.processor import check_graphics, check_processor, cpu_flags
from hybridgen.doctor.project import Locks, check_python
from hybridgen.doctor.remote import KeyOf, WayOut, check_reach, check_remotes, not_tried
from hybridgen.domain.health import Finding, State
from hybridgen.engine.build import Build, ask_build
from hybridgen.errors import HybridgenError
from hybridgen.gate import Ledger
from hybridgen.label import TrustStore
from hybridgen.lockdown import probe
from hybridgen.modelstore.machine import memory_limit, usable_cores
from hybridgen.modelstore.store import ModelState, ModelStore
from hybridgen.settings import Settings, organisation_file, project_folder

_REPORT: Final = "report it with this line and the output of: hybridgen --version"


@dataclass(frozen=True, slots=True)
class Places:
    """Where this user's hybridgen keeps things; none of it need exist.

    Attributes:
        state: the folder of what is kept from run to run.
        cache: the folder that the cached replies are in.
        user_file: the user's own settings file.
        kept: by name for people, all that tells something about code.
    """

    state: Path
    cache: Path
    user_file: Path
    kept: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be looked at.

    Attributes:
        load: gives the settings of user and organisation.
        folder: the current folder; in a project, its Python is looked at.
        key_of: gives the place of a backend's key, for people; None where there is none.
        way_out: gives what can be asked besides this machine, which is nothing but with
            ``is_online``.
        is_online: try whether remote backends can be reached.
        say: told what takes a while.
    """

    load: Callable[[], Settings]
    folder: Path
    places: Places
    key_of: KeyOf
    way_out: Callable[[], WayOut]
    is_online: bool
    say: Callable[[str], None]


def diagnose(asked: Asked) -> Iterator[Finding]:
    """All findings, as they are made."""
    for subject, check in _checks(_Known(asked)):
        yield from _tried(subject, check)


class _AlreadySaidError(Exception):
    """What a check needs could not be found out, and another finding says so."""


class _Known:
    """What several checks need, found out once; where that fails, the first of them says why."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._failed: set[str] = set()

    @cached_property
    def settings(self) -> Settings:
        """Of user and organisation."""
        with self._said_once("the settings cannot be read"):
            return self.asked.load()

    @cached_property
    def store(self) -> ModelStore:
        """The folder of models."""
        folder = self.settings.model_folder
        with self._said_once("the folder of models cannot be read"):
            return ModelStore(folder)

    @cached_property
    def build(self) -> Build:
        """How llama.cpp was built."""
        with self._said_once("llama.cpp cannot be loaded"):
            return ask_build()

    @contextlib.contextmanager
    def _said_once(self, what: str) -> Iterator[None]:
        if what in self._failed:
            raise _AlreadySaidError(what)
        self._failed.add(what)
        yield
        self._failed.discard(what)


_Check = Callable[[_Known], Iterable[Finding]]


def _checks(known: _Known) -> Iterator[tuple[str, Callable[[], Iterable[Finding]]]]:
    checks: tuple[tuple[str, _Check], ...] = (
        ("hybridgen", lambda _: check_version()),
        ("packages", lambda _: check_packages()),
        ("settings", lambda all_: check_settings(all_.settings, all_.asked.places.user_file)),
        ("organisation", lambda all_: check_organisation(all_.settings, organisation_file())),
        ("model", lambda all_: check_model(all_.store, all_.settings.model, all_.asked.say)),
        ("memory", _memory),
        ("disk", _disk),
        ("processor", _processor),
        ("graphics", _graphics),
        ("locks", _locks),
        ("python", _python),
        ("remote", _remote),
        ("reach", _reach),
        ("files", _files),
        ("ledger", lambda all_: check_ledger(Ledger(all_.asked.places.state / "ledger"))),
        ("trust", lambda all_: check_trust(TrustStore(all_.asked.places.state / "trust"))),
    )
    for subject, check in checks:
        yield subject, partial(check, known)


def _tried(subject: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What ``check`` finds; what it raises is a finding too."""
    try:
        yield from check()
    except _AlreadySaidError as error:
        yield Finding(subject, State.SKIPPED, f"not checked: {error}")
    except HybridgenError as error:
        yield Finding(subject, State.WRONG, error.message, error.hint)
    except OSError as error:
        yield _unreadable(subject, error)
    except Exception as error:  # its words may be anybody's
        text = f"could not be checked: {type(error).__name__}"
        yield Finding(subject, State.WRONG, text, _REPORT)


def _unreadable(subject: str, error: OSError) -> Finding:
    """What the system does not let us look at."""
    reason = error.strerror or type(error).__name__
    if not error.filename:
        return Finding(subject, State.WRONG, f"could not be checked: {reason}", _REPORT)
    path = Path(os.fsdecode(error.filename))
    names = " ".join(shlex.quote(str(one)) for one in (path.parent, path))
    fix = f"see why: ls -ld {names}"
    if isinstance(error, PermissionError):
        fix += f"; if they are yours: chmod u+rX {names}"
    return Finding(subject, State.WRONG, f"could not be checked: {reason}: {path}", fix)


def _memory(known: _Known) -> Iterable[Finding]:
    settings = known.settings
    return check_memory(known.store, settings.model, settings.context_tokens)


def _disk(known: _Known) -> Iterable[Finding]:
    places, store = known.asked.places, known.store
    folders = {
        "models": store.folder,
        "state": places.state,
        "cache": places.cache,
        "temporary files": Path(tempfile.gettempdir()),
    }
    is_there = known.settings.model is not None
    with contextlib.suppress(OSError):  # said where the model is looked at
        is_there |= any(status.state is ModelState.INSTALLED for status in store.list())
    if is_there:  # models that others look after may lie where we cannot write
        return check_disk(folders, {}, complete=("models",))
    manifest, _ = store.choose_default(memory_limit(), usable_cores())
    return check_disk(folders, {"models": manifest.bytes})


def _processor(known: _Known) -> Iterable[Finding]:
    return check_processor(known.build, cpu_flags(), os.uname().machine)


def _graphics(known: _Known) -> Iterable[Finding]:
    settings = known.settings
    return check_graphics(known.build, settings.gpu_layers, settings.source_of("gpu_layers"))


def _locks(known: _Known) -> Iterable[Finding]:
    return check_locks(probe(), _demand(known.settings))


def _demand(settings: Settings) -> Demand:
    return Demand(
        is_required=settings.sandbox == "required",
        minimum=settings.security_minimum_level,
        sandbox_place=settings.source_of("sandbox"),
        minimum_place=settings.source_of("security_minimum_level"),
    )


def _python(known: _Known) -> Iterable[Finding]:
    settings, root = known.settings, project_folder(known.asked.folder)
    locks = Locks(probe(), _demand(settings), settings.memory_limit_mb * 2**20)
    real = None if root is None else root.resolve()
    return check_python(real, settings.python, settings.source_of("python"), locks)


def _remote(known: _Known) -> Iterable[Finding]:
    return check_remotes(known.settings, known.asked.key_of, known.asked.places.user_file)


def _reach(known: _Known) -> Iterable[Finding]:
    why_not = not_tried(known.settings, known.asked.is_online)
    if why_not is not None:
        return [why_not]
    return check_reach(known.asked.way_out())


def _files(known: _Known) -> Iterable[Finding]:
    places = known.asked.places
    kept = dict(places.kept)
    unwritten: dict[str, Sequence[Path]] = {
        "settings": (places.user_file.parent, places.user_file),
        "state": (places.state,),
        "cache": (places.cache,),
    }
    with contextlib.suppress(_AlreadySaidError):  # without settings, look at the rest
        store, log_file = known.store, known.settings.log_file
        unwritten["models"] = (store.folder, *map(store.file, store.manifests))
        if log_file is not None:
            kept["log of the engine, by your settings"] = log_file
    return check_files(kept, unwritten)
