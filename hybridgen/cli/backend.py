"""The model that a run asks: which one, what starts it, and where its answers are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hybridgen.backends import BACKENDS, Backend
from hybridgen.backends.caching import CachingBackend
from hybridgen.backends.replies import ReplyStore
from hybridgen.cli.places import engine_log, reply_folder
from hybridgen.domain import Label
from hybridgen.modelstore.manifest import Manifest
from hybridgen.modelstore.store import ModelStore
from hybridgen.route import choose_route
from hybridgen.settings import Settings


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a run asks.

    Attributes:
        make_backend: starts it; with a cache, the first question that needs it does.
        model: its name, for people.
        cache: what looks for known answers first, or None.
    """

    make_backend: Callable[[], Backend]
    model: str
    cache: CachingBackend | None = None

    def notes(self) -> Iterator[str]:
        """What is to be said about it after the run."""
        if self.cache is None:
            return
        if self.cache.cached_answers:
            yield (
                f"answers of the model that were known from an earlier run: "
                f"{self.cache.cached_answers} (--no-cache asks again)"
            )
        if self.cache.problem is not None:
            yield (
                f"answers of the model are not kept: {self.cache.problem} "
                "(hybridgen purge removes it)"
            )


def choose_backend(settings: Settings) -> Chosen | None:
    """What the settings ask for, or None where no model is installed.

    Raises:
        UsageError: the model is neither a known name nor a GGUF file.
        ModelMissing: it is not installed.
        PolicyRefusal: the backend may not read confidential code.
    """
    choose_route(Label.CONFIDENTIAL, settings.backend)
    store = ModelStore(settings.model_folder)
    manifest: Manifest | None
    if settings.model is not None:
        path, manifest = store.resolve(settings.model)
    else:
        manifest = store.installed_best()
        if manifest is None:
            return None
        path = store.path(manifest.name)
    name = manifest.name if manifest is not None else path.name
    make_backend = _starter(settings, path, name, manifest)
    if not settings.cache:
        return Chosen(make_backend, name)
    cache = CachingBackend(
        make_backend,
        ReplyStore(reply_folder()),
        model=_identity(path, manifest),
        options={
            "backend": settings.backend,
            "template": make_backend.keywords["chat_template"],
            "context": make_backend.keywords["context_tokens"],
            "seed": settings.seed,
        },
    )
    return Chosen(lambda: cache, name, cache)


def _starter(
    settings: Settings, path: Path, name: str, manifest: Manifest | None
) -> partial[Backend]:
    has_own_template = manifest is None or manifest.chat_template == "from-file"
    context = settings.context_tokens
    return partial(
        BACKENDS[settings.backend],
        path,
        model_name=name,
        log=settings.log_file or engine_log(),
        context_tokens=context if manifest is None else min(context, manifest.context_tokens),
        threads=settings.threads,
        chat_template=None if has_own_template or manifest is None else manifest.chat_template,
        memory_bytes=None if manifest is None else manifest.memory_bytes,
        seed=settings.seed,
    )


def _identity(path: Path, manifest: Manifest | None) -> str:
    """What tells these weights from others; a file of the user's own is not read for it."""
    if manifest is not None:
        return f"sha256 {manifest.sha256}"
    found = path.stat()
    return f"{path.resolve()} {found.st_size} {found.st_mtime_ns}"
