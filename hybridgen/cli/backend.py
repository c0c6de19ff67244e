"""The model that a run asks: which one, what starts it, and where its answers are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from hybridgen.backends import BACKENDS, Backend
from hybridgen.backends.caching import CachingBackend
from hybridgen.backends.replies import ReplyStore
from hybridgen.backends.routed import RoutedBackend
from hybridgen.cli.places import engine_log, reply_folder
from hybridgen.domain import Breadth
from hybridgen.modelstore.manifest import Manifest
from hybridgen.modelstore.store import ModelStore
from hybridgen.route import NO_REMOTES, Remotes, steps
from hybridgen.settings import Settings

LARGER_BYTES: Final = 3 * 2**30
"""From this size on, a model understands longer questions well enough to be worth their time; so
does one on a graphics card, where reading takes none."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a run asks.

    Attributes:
        make_backend: starts it; the local model starts at the first question that needs it.
        models: by name of each backend that is there, the name of its model, for people.
        caches: what looks for known answers first.
        routed: what passes each prompt to the backend that may read it.
        said: by the model's process, for people.
    """

    make_backend: Callable[[], Backend]
    models: Mapping[str, str]
    caches: tuple[CachingBackend, ...]
    routed: RoutedBackend
    said: list[str]

    def remarks(self) -> tuple[str, ...]:
        """What the model's process said since it was last asked for."""
        fresh = tuple(self.said)
        self.said.clear()
        return fresh

    def notes(self) -> Iterator[str]:
        """What is to be said about it after the run."""
        known = sum(cache.cached_answers for cache in self.caches)
        if known:
            yield (
                f"answers of the model that were known from an earlier run: {known} "
                "(--no-cache asks again)"
            )
        for problem in dict.fromkeys(cache.problem for cache in self.caches):
            if problem is not None:
                yield f"answers of the model are not kept: {problem} (hybridgen purge removes it)"


def choose_backend(
    settings: Settings,
    makers: Mapping[str, Callable[[], Backend]] = MappingProxyType({}),
    remotes: Remotes = NO_REMOTES,
) -> Chosen | None:
    """What the settings ask for, or None where no model is there.

    Args:
        makers: by name, what makes each backend besides this machine.
        remotes: where those send to.

    Raises:
        UsageError: the model is neither a known name nor a GGUF file.
        ModelMissing: it is not installed.
    """
    found: dict[str, _Asked] = {}
    for name, maker in makers.items():
        destination = remotes.destination(name)
        assert destination is not None, name
        identity = f"{destination.url} {destination.model}"
        options = {"backend": name, "sdk": destination.sdk}
        found[name] = _Asked(maker, destination.model, identity, options)
    said: list[str] = []
    local = _local(settings, said.append)
    if local is not None:
        found["local"] = local
    if not found:
        return None
    caches = {}
    if settings.cache:
        caches = {name: _cached(asked) for name, asked in found.items()}
    routed = RoutedBackend(
        {name: _same(caches[name]) if caches else asked.make for name, asked in found.items()},
        partial(steps, backend=settings.backend, remotes=remotes),
        local_breadth=Breadth.NARROW if local is None else local.breadth,
    )
    models = {name: asked.model for name, asked in found.items()}
    return Chosen(_same(routed), models, tuple(caches.values()), routed, said)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A backend that can be asked; ``identity`` and ``options`` tell its answers from others'."""

    make: Callable[[], Backend]
    model: str
    identity: str
    options: Mapping[str, object]
    breadth: Breadth = Breadth.WIDE


def _cached(asked: _Asked) -> CachingBackend:
    store = ReplyStore(reply_folder())
    return CachingBackend(asked.make, store, model=asked.identity, options=asked.options)


def _same(backend: Backend) -> Callable[[], Backend]:
    return lambda: backend


def _local(settings: Settings, say: Callable[[str], None]) -> _Asked | None:
    """The model on this machine, if there is one."""
    chosen = ModelStore(settings.model_folder).chosen(settings.model)
    if chosen is None:
        return None
    path, manifest = chosen
    name = manifest.name if manifest is not None else path.name
    make_backend = _starter(settings, path, name, manifest, say)
    options = {
        "backend": "local",
        "template": make_backend.keywords["chat_template"],
        "context": make_backend.keywords["context_tokens"],
        "seed": settings.seed,
    }
    is_larger = path.stat().st_size >= LARGER_BYTES or settings.gpu_layers != 0
    breadth = Breadth.MIDDLE if is_larger else Breadth.NARROW
    return _Asked(make_backend, name, _identity(path, manifest), options, breadth)


def _starter(
    settings: Settings,
    path: Path,
    name: str,
    manifest: Manifest | None,
    say: Callable[[str], None],
) -> partial[Backend]:
    has_own_template = manifest is None or manifest.chat_template == "from-file"
    context = settings.context_tokens
    return partial(
        BACKENDS["local"],
        path,
        model_name=name,
        log=settings.log_file or engine_log(),
        context_tokens=context if manifest is None else min(context, manifest.context_tokens),
        threads=settings.threads,
        chat_template=None if has_own_template or manifest is None else manifest.chat_template,
        memory_bytes=None if manifest is None else manifest.memory_bytes,
        seed=settings.seed,
        gpu_layers=settings.gpu_layers,
        say=say,
    )


def _identity(path: Path, manifest: Manifest | None) -> str:
    """What tells these weights from others; a file of the user's own is not read for it."""
    if manifest is not None:
        return f"sha256 {manifest.sha256}"
    found = path.stat()
    return f"{path.resolve()} {found.st_size} {found.st_mtime_ns}"
