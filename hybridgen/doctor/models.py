"""The model on this machine: is it there, whole, and does it fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hybridgen.domain.health import Finding, State
from hybridgen.engine.gguf import NoGgufError, read_shape
from hybridgen.engine.machine import available_memory
from hybridgen.errors import HybridgenError
from hybridgen.modelstore.manifest import Manifest
from hybridgen.modelstore.progress import readable_bytes
from hybridgen.modelstore.store import ModelState, ModelStatus, ModelStore


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that a run would load.

    Attributes:
        manifest: what is known of it; None for a file of the user's own.
    """

    path: Path
    manifest: Manifest | None

    @property
    def name(self) -> str:
        """For people."""
        return self.path.name if self.manifest is None else self.manifest.name


def chosen_model(store: ModelStore, model: str | None) -> Chosen | None:
    """The model that the settings choose; None where none is named and none installed.

    Raises:
        UsageError: it is neither a known name nor a GGUF file.
        ModelError: it is not installed, or damaged.
    """
    found = store.chosen(model)
    return None if found is None else Chosen(*found)


def check_model(
    store: ModelStore, model: str | None, say: Callable[[str], None]
) -> Iterator[Finding]:
    """Whether the model is there and is what its manifest says; reads the whole file."""
    chosen = chosen_model(store, model)
    damaged = [one for one in store.list() if one.state is ModelState.DAMAGED]
    for status in damaged:
        yield _damaged(status, State.WRONG if chosen is None else State.WARNING)
    if chosen is None:
        if not damaged:
            yield _none(store)
    elif chosen.manifest is None:
        yield _own(chosen)
    else:
        size = readable_bytes(chosen.manifest.bytes)
        say(f"reading {chosen.name} ({size}) to check its sha256")
        store.verify(chosen.name)
        yield Finding(
            "model",
            State.OK,
            f"{chosen.name}: {size} read, the sha256 is right",
            facts={"model": chosen.name, "path": str(chosen.path)},
        )


def check_memory(store: ModelStore, model: str | None, context_tokens: int) -> Iterator[Finding]:
    """Whether the model fits into the memory that is free now, limits of containers included."""
    try:
        chosen = chosen_model(store, model)
        shape = None if chosen is None else read_shape(chosen.path)
    except (NoGgufError, HybridgenError, OSError):  # said where the model is looked at
        chosen = shape = None
    if chosen is None or shape is None:
        yield Finding("memory", State.SKIPPED, "there is no model to reckon with")
        return
    trained = shape.trained if chosen.manifest is None else chosen.manifest.context_tokens
    tokens = min(context_tokens, trained)
    measured = None if chosen.manifest is None else chosen.manifest.memory_bytes
    need, free = shape.needed_bytes(tokens, measured), available_memory()
    facts = {
        "needed_bytes": need,
        "weights_bytes": shape.weights,
        "context_tokens": tokens,
        "context_bytes": shape.context_bytes(tokens),
        "available_bytes": free,
    }
    about = (
        f"{chosen.name} needs about {readable_bytes(need)} (weights "
        f"{readable_bytes(shape.weights)}, {tokens:,} tokens of context "
        f"{readable_bytes(shape.context_bytes(tokens))})"
    )
    if free is None:
        yield Finding(
            "memory", State.WARNING, f"{about}; this system does not say how much is free",
            "look at it yourself before a run", facts=facts,
        )  # fmt: skip
        return
    text = f"{about}, {readable_bytes(free)} are available"
    if need > free:
        fix = _smaller(store, chosen, free)
        yield Finding("memory", State.WRONG, f"{text}: it will not be loaded", fix, facts=facts)
    elif chosen.manifest is None and need + shape.weights > free:
        more = "llama.cpp may keep a second copy of the weights, arranged for this processor"
        fix = _smaller(store, chosen, free)
        yield Finding("memory", State.WARNING, text, fix, (more,), facts)
    else:
        yield Finding("memory", State.OK, text, facts=facts)


def _smaller(store: ModelStore, chosen: Chosen, free: int) -> str:
    """What to do where the model does not fit: the largest of ours that does."""
    fitting = [
        manifest
        for manifest in store.manifests
        if manifest.memory_bytes <= free and manifest.name != chosen.name
    ]
    if not fitting:
        return "close other programs, or give the container more memory; no model of ours fits"
    name = max(fitting, key=lambda manifest: manifest.memory_bytes).name
    return f"close other programs, or: hybridgen models pull {name}, and --model {name}"


def _damaged(status: ModelStatus, state: State) -> Finding:
    name = status.manifest.name
    return Finding(
        "model",
        state,
        f"{status.path}: {status.arrived:,} bytes, expected {status.manifest.bytes:,}",
        f"hybridgen models pull {name}",
        facts={"model": name, "path": str(status.path)},
    )


def _none(store: ModelStore) -> Finding:
    begun = [one.manifest.name for one in store.list() if one.state is ModelState.PARTIAL]
    if begun:
        return Finding(
            "model",
            State.WARNING,
            f"none is installed; a pull of {begun[0]} was interrupted",
            f"hybridgen models pull {begun[0]}",
        )
    text = f"none is installed in {store.folder}: inputs come from the search alone"
    return Finding("model", State.WARNING, text, "hybridgen models pull")


def _own(chosen: Chosen) -> Finding:
    """A file of the user's own: there is no hash to hold it to."""
    facts = {"model": chosen.name, "path": str(chosen.path)}
    try:
        read_shape(chosen.path)
    except NoGgufError as error:
        text = f"{chosen.path}: {error}"
        fix = "fetch the file again, or take a model of ours: hybridgen models pull"
        return Finding("model", State.WRONG, text, fix, facts=facts)
    text = f"{chosen.path}: a file of your own, so there is no sha256 to hold it to"
    return Finding("model", State.OK, text, facts=facts)
