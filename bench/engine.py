"""How fast the engine computes, beside llama.cpp's own benchmarks and ``llama_cpp.Llama``.

    python bench/engine.py [--model FILE_OR_NAME] [--rounds 5] [--quick] [--json]

All are given the same file, threads and lengths, in turns, so that whatever else the machine does
meets all of them; the ratios are made round by round. Decoding only: choosing tokens is timed
apart, since ``llama-bench`` chooses none. ``--quick`` leaves out ``llama_cpp.Llama`` and takes
shorter lengths (less than five minutes with a 0.5B model, once llama.cpp's programs are built).

- ``single_stream``: decoding one stream, against ``llama-bench`` at the same depth.
- ``samples_4``, ``samples_8``: of one shared prompt, against ``llama-batched-bench -pps``.
- ``second_target_prefill``: seconds to read a module's second prompt, which shares seven eighths
  with the first, against the first. Wanted: at most 0.15.
- ``busy_1``: one stream while one other process keeps a core busy, against the best of
  ``llama-bench`` with one thread fewer or all, and waiting as it comes or passive.
- ``prefill``: reading, against ``llama-bench``; ``plain_...``: against ``llama_cpp.Llama``.
- ``idle_passive``: what passive waiting costs an idle machine, by ``llama-bench`` with itself.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llamacpp

BENCH = Path(__file__).resolve().parent
SHARED = 7 / 8
SAMPLES = (4, 8)
SAMPLINGS = 16
PASSIVE, USUAL = {"OMP_WAIT_POLICY": "passive"}, {}
GOALS = {
    **{"single_stream": ">= 0.95", "samples_4": ">= 0.95", "samples_8": ">= 0.95"},
    **{"second_target_prefill": "<= 0.15", "busy_1": ">= 0.8"},
}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="a GGUF file, or a name")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--save", type=Path, help="also write it here, for bench/report.py")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/hybridgen-bench")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        asked = json.loads(args.child)
        print(json.dumps({"ours": ours, "plain": plain}[asked.pop("who")](**asked)))
        return
    found = measure(args)
    if args.save:
        args.save.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if args.json:
        print(json.dumps(found))
    else:
        print(table(found))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Every ratio with its median and range, and the speeds behind them."""
    from hybridgen.engine.machine import usable_threads

    model, threads = file_of(args.model), args.threads or usable_threads()
    programs = llamacpp.tools(args.cache)
    depth, tokens = (128, 24) if args.quick else (512, 64)
    ratios: dict[str, list[float]] = {}
    speeds: dict[str, list[float]] = {}
    for number in range(args.rounds):
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr, flush=True)
        seen = one_round(programs, model, threads, depth, tokens, is_quick=args.quick)
        for name, value in seen.items():
            speeds.setdefault(name, []).append(value)
        for name, value in ratios_of(seen).items():
            ratios.setdefault(name, []).append(value)
    return {
        **{name: spread(values) for name, values in ratios.items()},
        "speeds": {name: spread(values) for name, values in speeds.items()},
        "model": model.name,
        "threads": threads,
        "prompt_tokens": depth,
        "decoded_tokens": tokens,
        "rounds": args.rounds,
    }


def one_round(
    programs: Path, model: Path, threads: int, depth: int, tokens: int, *, is_quick: bool
) -> dict[str, float]:
    """Tokens a second, and seconds for prompts, each measured once."""
    sizes = {"model": str(model), "threads": threads, "depth": depth, "tokens": tokens}
    seen = {f"ours {name}": value for name, value in child("ours", **sizes).items()}
    if not is_quick:
        seen |= {f"plain {name}": value for name, value in child("plain", **sizes).items()}
        seen["llama-bench prefill"] = llamacpp.bench(
            programs, model, threads, environment=USUAL, p=depth
        )
    for name, environment in (("", USUAL), (" passive", PASSIVE)):
        seen[f"llama-bench 1{name}"] = llamacpp.bench(
            programs, model, threads, environment=environment, n=tokens, d=depth
        )
    own = llamacpp.batched(programs, model, threads, depth, tokens, SAMPLES)
    seen |= {f"llama-batched-bench {count}": speed for count, speed in own.items()}
    with neighbour():
        short = {**sizes, "depth": 16, "samples": [1]}
        seen["ours busy"] = child("ours", **short)["1"]
        for count in sorted({threads, max(1, threads - 1)}):
            for name, environment in (("as it comes", USUAL), ("passive", PASSIVE)):
                seen[f"llama-bench busy, {count} {name}"] = llamacpp.bench(
                    programs, model, count, environment=environment, n=tokens, d=16
                )
    return seen


def ratios_of(seen: dict[str, float]) -> dict[str, float]:
    """What is compared with what."""
    busy = max(value for name, value in seen.items() if name.startswith("llama-bench busy"))
    found = {
        "single_stream": seen["ours 1"] / seen["llama-bench 1"],
        **{f"samples_{k}": seen[f"ours {k}"] / seen[f"llama-batched-bench {k}"] for k in SAMPLES},
        "second_target_prefill": seen["ours second"] / seen["ours first"],
        "busy_1": seen["ours busy"] / busy,
        "idle_passive": seen["llama-bench 1 passive"] / seen["llama-bench 1"],
    }
    if "plain 1" in seen:
        found["prefill"] = seen["ours prefill"] / seen["llama-bench prefill"]
        found["plain_single_stream"] = seen["ours 1"] / seen["plain 1"]
        found["plain_prefill"] = seen["ours prefill"] / seen["plain prefill"]
        found["plain_second_target"] = seen["ours second"] / seen["plain second"]
    return found


def spread(values: list[float]) -> dict[str, float]:
    """Median and range."""
    shown = {"median": statistics.median(values), "low": min(values), "high": max(values)}
    return {name: round(value, 4) for name, value in shown.items()}


def table(found: dict[str, Any]) -> str:
    """The same for people."""
    names = [name for name, value in found.items() if isinstance(value, dict) and "low" in value]
    lines = ["{model}, {threads} threads, {prompt_tokens} tokens read".format(**found)]
    for name in names:
        goal = GOALS.get(name, "")
        lines.append(
            "{:24}{median:8.3f}  ({low:.3f} to {high:.3f})  {}".format(name, goal, **found[name])
        )
    for name, value in found["speeds"].items():
        lines.append("  {:34}{median:9.3f}  ({low:.3f} to {high:.3f})".format(name, **value))
    return "\n".join(lines)


@contextmanager
def neighbour() -> Iterator[None]:
    """Another process keeps one core busy."""
    with subprocess.Popen([sys.executable, "-I", "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def child(who: str, **asked: Any) -> dict[str, float]:
    """Measures in a fresh process with the engine's environment."""
    from hybridgen.engine.process import child_environment

    command = [sys.executable, str(Path(__file__)), "--child", json.dumps({"who": who, **asked})]
    environment = child_environment() if who == "ours" else dict(os.environ)
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def prompts(depth: int, vocabulary: int) -> tuple[list[int], list[int]]:
    """Two prompts of random tokens that begin alike."""
    chooser = random.Random(1)
    first = [chooser.randrange(vocabulary // 2) for _ in range(depth)]
    same = int(depth * SHARED)
    return first, [*first[:same], *(chooser.randrange(vocabulary // 2) for _ in first[same:])]


def ours(
    model: str, threads: int, depth: int, tokens: int, samples: tuple[int, ...] = (1, *SAMPLES)
) -> dict[str, float]:
    """The engine's own code, without its process and pipes."""
    from hybridgen.engine.llama import Llama

    llama = Llama(Path(model), context_tokens=4096, threads=threads, should_stop=lambda: False)
    first, second = prompts(depth, llama.vocabulary)
    room, same = max(samples) * tokens, int(depth * SHARED)
    found = {"first": timed(lambda: llama.prefill(first, beginning=same, room=room))}
    found["prefill"] = depth / found["first"]
    for count in samples:
        llama.prefill(first, beginning=same, room=room)
        branches = llama.cells.branch(count)
        began = time.perf_counter()
        for position in range(depth, depth + tokens):
            llama.step([(branch, position, 100 + branch) for branch in branches])
        found[str(count)] = count * tokens / (time.perf_counter() - began)
        sampler = llama.sampler(temperature=0.8, seed=1)
        began = time.perf_counter()
        for _ in range(SAMPLINGS):
            sampler.sample(0)
        found["sampling"] = (time.perf_counter() - began) / SAMPLINGS
        for branch in branches:
            llama.cells.end(branch)
    found["second"] = timed(lambda: llama.prefill(second, beginning=same, room=room))
    return found


def plain(model: str, threads: int, depth: int, tokens: int) -> dict[str, float]:
    """``llama_cpp.Llama``, which reuses what the prompt before began with."""
    import llama_cpp

    llama = llama_cpp.Llama(
        model, n_ctx=4096, n_threads=threads, n_threads_batch=threads, verbose=False
    )
    first, second = prompts(depth, llama.n_vocab())
    found = {"first": timed(lambda: llama.eval(first))}
    found["prefill"] = depth / found["first"]
    began = time.perf_counter()
    for _ in range(tokens):
        llama.eval([100])
    found["1"] = tokens / (time.perf_counter() - began)
    found["second"] = timed(lambda: next(llama.generate(second, temp=0.0)))
    return found


def timed(action: Any) -> float:
    """Seconds that ``action`` takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def file_of(model: str) -> Path:
    """A file, or a model of the store."""
    if Path(model).is_file():
        return Path(model).resolve()
    asked = [sys.executable, "-m", "hybridgen", "models", "path", model]
    return Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())


if __name__ == "__main__":
    main()
