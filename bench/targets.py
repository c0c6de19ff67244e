"""What questions about 1, 10, 100 and 1,000 targets cost: seconds, and memory of both processes.

    python bench/targets.py [--model FILE_OR_NAME] [--counts 1 10 100 1000] [--save FILE]

A made-up module has so many functions, each with a text of its own and a condition that nothing
reached. The engine is asked for values for each, as a run asks: the same words, two answers, at
most 16 tokens each. What is kept of finished targets would show as memory, or as time that grows
faster than the number of targets.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine import file_of

TOKENS = 16
HEATS = ((0.2, 0), (0.6, 1))
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty")
FUNCTION = '''\
def {name}(text: str, limit: int = {limit}) -> str:
    """Gives the {one} of a {two}, up to the {three}."""
    if text.startswith("{two}:") and len(text) > {limit}:
        return text.removeprefix("{two}:")
    return "{one}"
'''


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="a GGUF file, or a name")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--save", type=Path, help="also write it here, for bench/report.py")
    args = parser.parse_args()
    model = file_of(args.model)
    rows = [row(model, count) for count in args.counts]
    found = {"model": model.name, "tokens": TOKENS, "samples": len(HEATS), "rows": rows}
    if args.save:
        args.save.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def row(model: Path, count: int) -> dict[str, Any]:
    """Seconds from the first question to the last answer, and what the processes hold then."""
    from hybridgen.backends.local import LocalBackend
    from hybridgen.domain import Breadth
    from hybridgen.prompt import build_question, questions
    from hybridgen.source import missing_fragments

    with tempfile.TemporaryDirectory(prefix="hybridgen-bench-") as folder:
        module = module_of(Path(folder), count)
        backend = LocalBackend(model, model_name=model.stem, log=Path(folder) / "engine.log")
        try:
            backend.count_tokens(["loaded"], deadline=time.monotonic() + 120)
            began, longest = time.monotonic(), 0
            for number, target in enumerate(module.targets):
                places = missing_fragments(module, target, {target.last_line - 1})
                question = next(iter(questions(target, places, None, Breadth.NARROW)))
                prompt = build_question(
                    question,
                    module,
                    import_name="made_up",
                    count_tokens=lambda texts: backend.count_tokens(
                        texts, deadline=time.monotonic() + 60
                    ),
                )
                assert prompt is not None
                backend.sample(
                    prompt, samples=HEATS, max_tokens=TOKENS, deadline=time.monotonic() + 60
                )
                longest = max(longest, resident(backend.pid))
                print(f"\r{number + 1} of {count}", end="", file=sys.stderr, flush=True)
            print(file=sys.stderr)
            seconds = time.monotonic() - began
            return {
                "targets": count,
                "seconds": round(seconds, 2),
                "seconds_each": round(seconds / count, 3),
                "engine_mib": longest // 2**20,
                "command_mib": resident("self") // 2**20,
            }
        finally:
            backend.close()


def module_of(folder: Path, count: int) -> Any:
    """The made-up module, read as a run reads it."""
    from hybridgen.label import Labeller
    from hybridgen.source import find_project, read_module, select

    chooser = random.Random(count)
    functions = []
    for number in range(count):
        one, two, three = chooser.sample(WORDS, 3)
        name = f"{one}_{two}_{number}"
        functions.append(
            FUNCTION.format(name=name, one=one, two=two, three=three, limit=number + 5)
        )
    (folder / "pyproject.toml").write_text("[project]\nname = 'made-up'\nversion = '1'\n")
    path = folder / "made_up.py"
    path.write_text("\n\n".join(functions), encoding="utf-8")
    [selection] = select([str(path)])
    return read_module(selection, find_project(path, python=None, tests=None), Labeller(folder))


def resident(pid: object) -> int:
    """Bytes that a process holds now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
