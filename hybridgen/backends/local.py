"""The backend on this machine: the engine, asked until the prompt's stop strings."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hybridgen.domain import Breadth, Completion, Label, Prompt
from hybridgen.engine import Engine


class LocalBackend:
    """A model file in the engine's process; see :class:`Engine` for the arguments."""

    def __init__(
        self,
        model: Path,
        *,
        model_name: str,
        log: Path,
        context_tokens: int = 4096,
        threads: int | None = None,
        chat_template: str | None = None,
        memory_bytes: int | None = None,
        seed: int = 0,
        gpu_layers: int = 0,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._engine = Engine(
            model,
            model_name=model_name,
            log=log,
            context_tokens=context_tokens,
            threads=threads,
            chat_template=chat_template,
            memory_bytes=memory_bytes,
            seed=seed,
            gpu_layers=gpu_layers,
            say=say,
        )
        self._engine.start()

    def count_tokens(self, texts: Sequence[str], *, deadline: float) -> list[int]:
        """How many tokens each text has; waits until the model is loaded."""
        self._engine.wait_ready(max(0.0, deadline - time.monotonic()))
        return self._engine.count_tokens(texts)

    def complete(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        deadline: float,
        on_text: Callable[[str], None] | None = None,
    ) -> Completion:
        """The model's answer up to a stop string."""
        return self._engine.complete(
            prompt,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            deadline=deadline,
            stop=prompt.stop,
            on_text=on_text,
        )

    def breadth(self, label: Label) -> Breadth:
        """Narrow: what it reads and writes costs time."""
        return Breadth.NARROW

    def sample(
        self,
        prompt: Prompt,
        *,
        samples: Sequence[tuple[float, int]],
        max_tokens: int,
        deadline: float,
        on_text: Callable[[str], None] | None = None,
    ) -> list[Completion]:
        """The model's answers up to a stop string, computed together."""
        return self._engine.sample(
            prompt,
            samples=samples,
            max_tokens=max_tokens,
            deadline=deadline,
            stop=prompt.stop,
            on_text=on_text,
        )

    @property
    def pid(self) -> int | None:
        """The engine's process."""
        return self._engine.pid

    def close(self) -> None:
        """Ends the engine's process."""
        self._engine.close()
