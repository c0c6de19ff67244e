"""How fast the gate is: indexing strict files, and checking a prompt against them.

    python bench/gate.py [FOLDER]

FOLDER has Python files, by default the standard library of this interpreter. They are added to a
new index as confidential files, then prompts of about 60 lines are checked: half of them are taken
from the files, half are other words. Wanted: 20 MB/s to index, 50 ms for a check against 100,000
lines. Also printed: the scan for secrets and the whole way through the gate for one prompt.
"""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hybridgen.domain import Destination, Fragment, Label, Prompt, SourceFile
from hybridgen.gate import FingerprintIndex, Gate, Ledger
from hybridgen.secretscan import find_secrets

LINES = 100_000
PROMPTS = 40
PROMPT_LINES = 60
GEMINI = Destination(
    "gemini", "https://bench.invalid", "flash", "google-genai", "paid", Label.PUBLIC
)


def texts_of(folder: Path) -> dict[str, str]:
    """Files below ``folder`` until there are enough lines."""
    found, lines = {}, 0
    for path in sorted(folder.rglob("*.py")):
        if "site-packages" in path.parts or lines >= LINES:
            continue
        try:
            found[str(path.relative_to(folder))] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        lines += found[str(path.relative_to(folder))].count("\n")
    return found


def source_of(path: str, text: str, label: Label) -> SourceFile:
    """The text as a labelled file."""
    return SourceFile(path, hashlib.sha256(text.encode()).hexdigest(), label, ())


def prompts_of(texts: dict[str, str]) -> list[str]:
    """Runs of lines from the files, and as many of words that are in none."""
    draw = random.Random(7)
    long = [text.splitlines() for text in texts.values() if text.count("\n") > 2 * PROMPT_LINES]
    prompts = []
    for _ in range(PROMPTS // 2):
        lines = draw.choice(long)
        start = draw.randrange(len(lines) - PROMPT_LINES)
        copied = "\n".join(lines[start : start + PROMPT_LINES])
        prompts += [copied, "\n".join(line[::-1] for line in copied.splitlines())]
    return prompts


def milliseconds(action: Callable[[str], object], prompts: list[str]) -> str:
    """Median and worst of one call for each prompt, on the clock and of processor time."""
    walls, processors = [], []
    for prompt in prompts:
        wall, processor = time.perf_counter(), time.process_time()
        action(prompt)
        walls.append(1000 * (time.perf_counter() - wall))
        processors.append(1000 * (time.process_time() - processor))
    return (
        f"median {statistics.median(walls):.1f} ms, worst {max(walls):.1f} ms; of processor "
        f"{statistics.median(processors):.1f} and {max(processors):.1f} ms"
    )


def main() -> None:
    """Prints all measurements."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.__file__).resolve()
    texts = texts_of(folder if folder.is_dir() else folder.parent)
    sources = {path: source_of(path, text, Label.CONFIDENTIAL) for path, text in texts.items()}
    size, lines = (
        sum(map(count, texts.values())) for count in (len, lambda text: text.count("\n"))
    )
    import numpy as np  # not a part of what is measured: once a run, and on demand

    print(f"{len(texts)} files, {lines} lines, {size / 1e6:.1f} MB; numpy {np.__version__}")
    with tempfile.TemporaryDirectory() as scratch:
        index = FingerprintIndex(Path(scratch, "fingerprints"), folder)
        first = "def first():\n    return 1\n"
        start = time.perf_counter()
        index.add(source_of("first.py", first, Label.CONFIDENTIAL), first)
        index.overlaps("", Label.PUBLIC)  # writes it
        print(f"index, start: {1000 * (time.perf_counter() - start):.0f} ms, once a run")
        for name in ("new", "known"):
            wall, processor = time.perf_counter(), time.process_time()
            for path, text in texts.items():
                index.add(sources[path], text)
            index.overlaps("", Label.PUBLIC)
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            speed = f"{size / wall / 1e6:.0f} MB/s; of processor {size / processor / 1e6:.0f} MB/s"
            print(f"index, {name} files: {wall:.2f} s{', ' + speed if name == 'new' else ''}")
        prompts = prompts_of(texts)
        hits = sum(bool(index.overlaps(prompt, Label.PUBLIC)) for prompt in prompts)
        print(f"check: {hits} of {len(prompts)} prompts are copies")
        index.close()
        again = FingerprintIndex(Path(scratch, "fingerprints"), folder)
        print("check, the first of a run:", milliseconds(check_of(again), prompts[:1]))
        print("check:", milliseconds(check_of(again), prompts))
        find_secrets("")  # imports the library
        print("secrets:", milliseconds(find_secrets, prompts))
        gate = Gate(Ledger(Path(scratch, "ledger")), again, lambda one: one, lambda text: True)
        print("gate, with its ledger:", milliseconds(clear_of(gate), prompts[1::2]))
        again.close()


def check_of(index: FingerprintIndex) -> Callable[[str], object]:
    """Looks for copies in a text."""
    return lambda prompt: index.overlaps(prompt, Label.PUBLIC)


def clear_of(gate: Gate) -> Callable[[str], object]:
    """Clears a prompt with one fragment of the given text."""

    def clear(text: str) -> object:
        source = source_of("public.py", text, Label.PUBLIC)
        about = Fragment(text, Label.PUBLIC, "public.py:1", "marked", (source,))
        ours = Fragment("Write tests.\n", Label.PUBLIC, "template system", "part of hybridgen")
        return gate.clear(Prompt((ours,), (about,), (), ours), GEMINI)

    return clear


if __name__ == "__main__":
    main()
