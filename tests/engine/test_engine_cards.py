"""An engine that is asked to use a graphics card, on a machine where it cannot."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridgen.domain import Fragment, Label, Prompt
from hybridgen.engine import Engine, process
from hybridgen.engine.build import card_kinds
from hybridgen.errors import EngineError

Start = Callable[[int], Engine]
Patch = Callable[[str], None]

SEES_A_CARD = "llama.has_card = lambda: True"
SEES_NONE = "llama.has_card = lambda: False"
REFUSES = "raise llama.LoadError('no room')"
ASKS_A_DRIVER = """
import fcntl
try:
    fcntl.ioctl(os.pipe()[0], 0xC0204600, bytearray(32))
except OSError as problem:
    os.write(2, f"the driver said {problem.errno}\\n".encode())
llama.has_card = lambda: False
"""


def with_layers(deed: str, layers: str = "gpu_layers != 0") -> str:
    """A card that does ``deed`` when it is given that many layers."""
    return f"""
{SEES_A_CARD}
class Card(llama.Llama):
    def __init__(self, path, *, gpu_layers=0, **others):
        if {layers}:
            {deed}
        super().__init__(path, gpu_layers=gpu_layers, **others)
llama.Llama = Card
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def start(tmp_path: Path, tiny_gguf: Path, said: list[str]) -> Iterator[Start]:
    """Starts engines that are closed after the test."""
    engines: list[Engine] = []

    def make(gpu_layers: int) -> Engine:
        log = tmp_path / "log" / "engine.log"
        options = {"model_name": "tiny", "threads": 1, "log": log, "say": said.append}
        engines.append(Engine(tiny_gguf, gpu_layers=gpu_layers, **options))
        engines[-1].start()
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> Patch:
    """Python that engines run in their locks, in the place of a card that is not here."""
    first, name, rest = process._BOOTSTRAP.partition("from hybridgen.engine.child import main")

    def patch(code: str) -> None:
        late = (
            f"import hybridgen.engine.child as child\nlock, code = child._lock, {code!r}\n"
            "def lock_and_patch(request):\n"
            "    lock(request)\n"
            "    import hybridgen.engine.llama as llama, os\n"
            "    exec(code, {'llama': llama, 'os': os})\n"
            "child._lock = lock_and_patch\n"
        )
        monkeypatch.setattr(process, "_BOOTSTRAP", f"{first}{late}{name}{rest}")

    return patch


def answer(engine: Engine) -> str:
    texts = ["system", "context\n", "request\n", "a"]
    pieces = [(Fragment(text, Label.CONFIDENTIAL, "test", "a test"),) for text in texts]
    prompt = Prompt(*pieces[:3], pieces[3][0])
    deadline = time.monotonic() + 60
    return engine.complete(prompt, max_tokens=5, temperature=0, seed=1, deadline=deadline).text


@pytest.mark.usefixtures("kernel_with_locks")
@pytest.mark.parametrize(("layers", "error"), [(0, errno.EPERM), (-1, errno.ENOTTY)])
def test_calls_of_a_cards_driver_are_let_through_only_where_a_card_is_asked_for(
    start: Start, patched: Patch, tmp_path: Path, layers: int, error: int
) -> None:
    """A pipe stands in for the card: it knows no such call, if the filter lets one reach it."""
    patched(ASKS_A_DRIVER)
    start(layers).wait_ready(60)
    assert f"the driver said {error}\n" in (tmp_path / "log" / "engine.log").read_text()


def test_without_a_card_the_processor_answers_and_the_user_is_told_once(
    start: Start, said: list[str], patched: Patch
) -> None:
    patched(SEES_NONE)
    plain = answer(start(0))
    assert said == []
    engine = start(-1)
    assert answer(engine) == answer(engine) == plain
    (line,) = said
    assert line.startswith("NO GRAPHICS CARD for tiny, which gpu_layers = -1 asks for")
    assert "finds no graphics card" in line
    assert "runs on the processor" in line


def test_card_that_works_is_no_news(start: Start, said: list[str], patched: Patch) -> None:
    patched(SEES_A_CARD)
    assert answer(start(2))
    assert said == []


def test_layers_reach_llama(start: Start, said: list[str], patched: Patch) -> None:
    patched(with_layers(REFUSES, "gpu_layers == 3"))
    answer(start(2))
    assert said == []
    answer(start(3))
    assert "did not take the model" in said[0]


def test_model_that_the_card_does_not_take_runs_on_the_processor(
    start: Start, said: list[str], patched: Patch
) -> None:
    patched(with_layers(REFUSES))
    assert answer(start(-1)) == answer(start(0))
    (line,) = said
    assert "the graphics card did not take the model" in line


def test_process_that_dies_with_a_card_starts_again_without_one(
    start: Start, said: list[str], patched: Patch
) -> None:
    patched(with_layers("os.abort()"))
    engine = start(-1)
    with pytest.raises(EngineError, match="SIGABRT"):
        engine.wait_ready(60)
    (line,) = said
    assert "its process crashed with SIGABRT" in line
    assert answer(engine)
    assert said == [line]


def test_process_that_dies_without_a_card_is_not_said_to_have_had_one(
    start: Start, said: list[str]
) -> None:
    engine = start(0)
    engine.wait_ready(60)
    assert engine.pid
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(EngineError):
        answer(engine)
    assert said == []


def test_kinds_of_cards_are_read_from_the_libraries(tmp_path: Path) -> None:
    names = ["libggml.so", "libggml-base.so.0", "libggml-cpu-haswell.so", "libllama.so"]
    for name in names:
        (tmp_path / name).touch()
    assert card_kinds(tmp_path) == frozenset()
    for name in ("libggml-cuda.so", "libggml-cuda.so.0", "ggml-vulkan.dll", "libggml-metal.dylib"):
        (tmp_path / name).touch()
    assert card_kinds(tmp_path) == {"cuda", "vulkan", "metal"}
