"""What is computed from shared beginnings and in batches is what ``llama_cpp.Llama`` computes."""

from __future__ import annotations

import ast
import inspect
import shlex
import string
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hybridgen.modelstore.store import ModelStore
from hybridgen.settings import load_settings

MODULES = (ast, shlex, string, textwrap)
REQUESTS = 13
TOKENS = 10
SAMPLES = 4
TOLERANCE = 0.25
"""Where the best two logits are closer than this, the order of additions may decide: reading a
prompt in other parts moves a logit of the 0.5B model by up to 0.2."""

Prompt = tuple[list[int], int]


REAL = [
    pytest.param(name, marks=pytest.mark.long) for name in ("qwen2.5-coder-0.5b", "smollm2-135m")
]


@pytest.fixture(params=["tiny", "brief", *REAL])
def model(
    request: pytest.FixtureRequest,
    make_gguf: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Two made up ones, and real ones where they are installed."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")  # else two contexts hold each other up
    if request.param == "tiny":
        return make_gguf("tiny")
    if request.param == "brief":
        follows = {bytes([n]): bytes([(n * 7 + 3) % 256]) for n in range(256)}
        return make_gguf("brief", follows=follows)
    chosen = ModelStore(load_settings(None, {}).model_folder).chosen(request.param)
    if chosen is None:
        pytest.skip(f"{request.param} is not installed")
    return chosen[0]


def prompts(tokenize: Callable[[str], list[int]]) -> Iterator[Prompt]:
    """Modules in turns, each with the same beginning and another request every time."""
    for number in range(REQUESTS):
        for module in MODULES:
            beginning, rest = text_of(module)
            part = rest[number * 150 : number * 150 + 50 + 5 * number]
            shared = tokenize(beginning)
            yield [*shared, *tokenize(part)], len(shared)


def text_of(module: ModuleType) -> tuple[str, str]:
    source = inspect.getsource(module)
    return source[:240], source[240:]


def logits(context: Any, row: int, vocabulary: int) -> Any:
    import llama_cpp

    pointer = llama_cpp.llama_get_logits_ith(context, row)
    return np.ctypeslib.as_array(pointer, (vocabulary,))


def alone(plain: Any, tokens: Sequence[int]) -> list[tuple[int, float]]:
    """Greedy tokens of a plain ``Llama``, each with how far it was ahead of the second."""
    plain.reset()
    plain.eval(tokens)
    found = []
    for _ in range(TOKENS):
        scores = logits(plain.ctx, -1, plain.n_vocab())
        second, best = np.partition(scores, -2)[-2:]
        found.append((int(np.argmax(scores)), float(best - second)))
        plain.eval([found[-1][0]])
    return found


def together(llama: Any, tokens: Sequence[int], beginning: int) -> list[list[int]]:
    """Greedy tokens of samples that are decoded as one batch."""
    llama.prefill(tokens, beginning=beginning, room=SAMPLES * TOKENS)
    branches = llama.cells.branch(SAMPLES)
    found = [[best(llama, -1)] for _ in branches]
    for position in range(len(tokens), len(tokens) + TOKENS - 1):
        llama.step([(b, position, f[-1]) for b, f in zip(branches, found, strict=True)])
        for row, answer in enumerate(found):
            answer.append(best(llama, row))
    for branch in branches:
        llama.cells.end(branch)
    return found


def best(llama: Any, row: int) -> int:
    return int(np.argmax(logits(llama.context, row, llama.vocabulary)))


def equal_tokens(answer: Sequence[int], plain: Sequence[tuple[int, float]]) -> int | None:
    """How many are equal before rounding decides; None if something else decides."""
    for index, (token, (expected, gap)) in enumerate(zip(answer, plain, strict=True)):
        if token != expected:
            return index if gap < TOLERANCE else None
    return len(plain)


def test_batches_over_shared_beginnings_say_what_a_plain_model_says(model: Path) -> None:
    import llama_cpp

    from hybridgen.engine.llama import Llama

    plain = llama_cpp.Llama(str(model), n_ctx=2048, n_threads=2, verbose=False)
    llama = Llama(model, context_tokens=2048, threads=2, should_stop=lambda: False)
    asked = list(prompts(lambda text: llama.tokenize(text, is_special=False)))
    assert len(asked) >= 50
    counts: list[int | None] = []
    reused = 0
    for tokens, beginning in asked:
        expected = alone(plain, tokens)
        known = len(tokens) - llama.prefill(tokens, beginning=beginning, room=0)
        reused += known >= beginning
        counts += [equal_tokens(answer, expected) for answer in together(llama, tokens, beginning)]
    assert reused >= 40  # else nothing was shared, and there was nothing to show
    assert None not in counts
    # Else "too close" would explain too much.
    assert sum(filter(None, counts)) >= 0.75 * TOKENS * len(counts)
