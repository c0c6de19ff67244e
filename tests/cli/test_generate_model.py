"""With a model, without one, and with one that has answered before: the real command."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.engine.build import ask_build

PRICES = '''
def discount(price: int, percent: int) -> int:
    """Take percent off."""
    if percent < 0 or percent > 100:
        raise ValueError("percent out of range")
    return price - price * percent // 100
'''

UNSOLVED = """

def odd(n):
    if n * n == 7:
        return 0
    return n
"""
"""What no search finds; so short that a question about it is, with a token a byte."""
BRIEF = """
import sys, hybridgen.explore.search as search
search.OPEN_PLATEAU = 0.2
from hybridgen.cli.main import main
main(sys.argv[1:])
"""

Generate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def generate(tmp_path: Path, home: Path) -> Generate:
    """Runs the command on one module, in a project of its own, and writes nothing there."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "prices.py").write_text(PRICES)
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['.']\n")

    def generate(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        own = {"HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
        start = [sys.executable, "-I", "-c", BRIEF, "generate", "prices.py", "--diff"]
        return subprocess.run(
            [*start, "--budget", "120", *arguments],  # more than it needs
            cwd=project,
            env={**kept, **own, **more},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return generate


@pytest.fixture
def unsolved(tmp_path: Path, generate: Generate) -> None:
    """The module holds something that the model is asked about."""
    with (tmp_path / "project/prices.py").open("a") as file:
        file.write(UNSOLVED)


def tokens(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stderr
    found = re.search(r"([\d,]+) tokens", done.stderr)
    assert found is not None, done.stderr
    return int(found[1].replace(",", ""))


@pytest.mark.usefixtures("unsolved")
def test_a_second_run_asks_no_model_and_gives_the_same(
    generate: Generate, home: Path, tiny_gguf: Path
) -> None:
    first = generate("--model", str(tiny_gguf))
    assert tokens(first) > 0
    assert "from an earlier run" not in first.stderr
    log = home / ".local/state/hybridgen/engine.log"
    log.unlink()
    second = generate("--model", str(tiny_gguf))
    assert tokens(second) == 0
    assert second.stdout == first.stdout
    assert re.search(r"from an earlier run: \d+ \(--no-cache asks again\)", second.stderr)
    assert not log.exists()  # no engine was started
    [database] = (home / ".cache/hybridgen/replies").iterdir()
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


@pytest.mark.usefixtures("unsolved")
def test_a_spoilt_cache_costs_one_note(generate: Generate, home: Path, tiny_gguf: Path) -> None:
    folder = home / ".cache/hybridgen/replies"
    folder.mkdir(mode=0o700, parents=True)
    (folder / "replies.db").write_bytes(b"no database" * 1000)
    (folder / "replies.db").chmod(0o600)
    done = generate("--model", str(tiny_gguf))
    assert tokens(done) > 0
    assert done.stderr.count("hybridgen purge") == 1
    assert f"{folder}/replies.db cannot be used: file is not a database" in done.stderr


def test_no_model_means_search_alone_without_a_word_about_models(
    generate: Generate, home: Path
) -> None:
    done = generate("--no-model", "--json", HYBRIDGEN_MODEL="/nowhere/at/all.gguf")
    assert (done.returncode, done.stderr) == (0, "")
    [module] = json.loads(done.stdout)["modules"]
    assert (module["model"], module["tokens"]) == (None, 0)
    assert module["coverage"]["after"]["pooled"] == 100
    assert not (home / ".cache").exists()  # no replies; fingerprints are kept of all that is read


def test_a_model_that_is_named_and_refused_at_once_is_wrong_usage(generate: Generate) -> None:
    done = generate("--no-model", "--model", "qwen2.5-coder-0.5b")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--model and --no-model contradict each other" in done.stderr


def test_what_becomes_of_suspects_is_one_of_three(generate: Generate) -> None:
    done = generate("--suspects", "hide")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'report', 'xfail', 'drop'" in done.stderr


@pytest.fixture
def without_card() -> None:
    if ask_build().can_offload:
        pytest.skip("this machine has a graphics card that llama.cpp can use")


@pytest.mark.usefixtures("without_card", "unsolved")
@pytest.mark.parametrize("layers", [["--gpu-layers", "-1"], []])
def test_a_graphics_card_that_is_not_there_is_said_loudly_and_the_model_still_answers(
    generate: Generate, home: Path, tiny_gguf: Path, layers: list[str]
) -> None:
    more = {"HYBRIDGEN_GPU_LAYERS": "7"} if not layers else {}
    done = generate("--model", str(tiny_gguf), "--no-cache", "--json", *layers, **more)
    assert done.returncode == 0, done.stderr
    [module] = json.loads(done.stdout)["modules"]
    assert module["tokens"] > 0
    [note] = [note for note in module["notes"] if "NO GRAPHICS CARD" in note]
    assert f"gpu_layers = {layers[1] if layers else 7} asks for" in note
    assert "runs on the processor" in note
    assert str(home) not in note


@pytest.mark.usefixtures("without_card", "unsolved")
def test_a_graphics_card_that_is_not_there_is_one_line_on_the_screen(
    generate: Generate, tiny_gguf: Path
) -> None:
    done = generate("--model", str(tiny_gguf), "--no-cache", "--gpu-layers", "-1")
    assert tokens(done) > 0
    assert (done.stdout + done.stderr).count("note: NO GRAPHICS CARD") == 1
    assert "NO GRAPHICS CARD" not in generate("--model", str(tiny_gguf), "--no-cache").stderr
