"""One Protocol for everything that speaks to a model elsewhere, and a plain dict of what does."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Final, Protocol

from hybridgen.courier.failures import Failure

_MODULES: Final = {
    "google-genai": "hybridgen.courier.genai",
    "google-generativeai": "hybridgen.courier.generativeai",
    "openai-compatible": "hybridgen.courier.onprem",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A destination as the courier knows it; see :class:`hybridgen.courier.setup.Setup`.

    Attributes:
        ca: certificates (PEM) as text, or None.
    """

    backend: str
    url: str
    model: str
    sdk: str
    terms: str
    parallel: int
    key: str = field(repr=False)
    proxy: str | None = field(repr=False)
    ca: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for one answer.

    Attributes:
        seconds: time left.
    """

    system: str
    user: str
    answer_start: str
    max_tokens: int
    temperature: float
    seed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, without its thoughts; counts are 0 where the server gave none."""

    text: str
    is_cut_off: bool
    prompt_tokens: int
    completion_tokens: int


class Adapter(Protocol):
    """Speaks to one destination; made once, called from several threads."""

    def ask(self, request: Ask) -> Reply:
        """Sends one request, once.

        Raises:
            Failure: no answer.
        """
        ...

    def models(self, seconds: float) -> list[str]:
        """The names of what is served there.

        Raises:
            Failure: it does not say.
        """
        ...


def make_adapter(target: Target) -> Adapter:
    """The adapter for ``target``; here its library is imported.

    Raises:
        Failure: the library is not installed, or the target cannot be right.
    """
    try:
        module = importlib.import_module(_MODULES[target.sdk])
        adapter: Adapter = module.make(target)
    except ImportError as error:
        raise Failure("missing") from error
    return adapter
