"""llama.cpp's own benchmarks, built from the source that the installed llama-cpp-python carries."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

NAMES = ("llama-bench", "llama-batched-bench")
_SWITCHES = (
    *("-DCMAKE_BUILD_TYPE=Release", "-DLLAMA_BUILD_TOOLS=ON", "-DLLAMA_BUILD_SERVER=OFF"),
    *("-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_CURL=OFF"),
)


def tools(cache: Path) -> Path:
    """The folder with both programs; builds them (10 to 20 minutes) if they are not there."""
    version = importlib.metadata.version("llama-cpp-python")
    folder = cache / f"llama.cpp-{version}"
    if all((folder / "bin" / name).is_file() for name in NAMES):
        return folder / "bin"
    print("building llama.cpp's own benchmarks, once ...", file=sys.stderr, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        asked = f"llama-cpp-python=={version}"
        fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch]
        subprocess.run([*fetch, "--no-binary", "llama-cpp-python", asked], check=True)
        archive = next(Path(scratch).glob("*.tar.gz"))
        with tarfile.open(archive) as sources:
            sources.extractall(scratch, filter="data")
        source = next(Path(scratch).glob("*/vendor/llama.cpp"))
        make = ["cmake", "-S", str(source), "-B", str(folder), *_SWITCHES]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        build = ["cmake", "--build", str(folder), "--target", *NAMES, "-j", str(os.cpu_count())]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    return folder / "bin"


def _lines(command: list[str], environment: dict[str, str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def bench(
    programs: Path, model: Path, threads: int, *, environment: dict[str, str], **sizes: int
) -> float:
    """Tokens a second by ``llama-bench``; sizes: ``p`` read, or ``n`` decoded at depth ``d``."""
    asked = {"p": 0, "n": 0, "d": 0, **sizes}
    options = [text for name, value in asked.items() for text in (f"-{name}", str(value))]
    command = [str(programs / "llama-bench"), "-m", str(model), "-t", str(threads), *options]
    found = _lines([*command, "-ngl", "0", "-r", "1", "-o", "jsonl"], environment)
    return float(found[0]["avg_ts"])


def batched(
    programs: Path, model: Path, threads: int, depth: int, tokens: int, samples: tuple[int, ...]
) -> dict[int, float]:
    """Tokens a second that ``llama-batched-bench`` decodes, by samples of one shared prompt.

    One memory for all sequences (``-kvu``), as in the engine: without it each has its share of the
    context only, and what does not fit is left out without a word.
    """
    command = [str(programs / "llama-batched-bench"), "-m", str(model), "-t", str(threads)]
    command += ["-c", str(depth + max(samples) * (tokens + 8) + 64), "-npp", str(depth)]
    command += ["-pps", "-kvu", "-ntg", str(tokens), "-npl", ",".join(map(str, samples))]
    found = _lines([*command, "-ngl", "0", "--output-format", "jsonl"], {})
    return {int(row["pl"]): float(row["speed_tg"]) for row in found}
