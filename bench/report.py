"""Writes docs/benchmarks.md from the results, and bench/notes.md, which people write.

    python bench/report.py [--results FOLDER] [--to FILE]

Pooled means: all statements and branches of all modules added up, not a mean of percentages.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent
LINE_BRANCH_GOAL, MUTANT_GOAL = 95.0, 70.0
Result = dict[str, Any]
Results = dict[str, Result]

TOOLS = {
    "hybridgen": "hybridgen, no model",
    "hybridgen-model": "hybridgen + model",
    "hybridgen-larger": "hybridgen + larger model",
    "pynguin": "Pynguin",
    "coverup": "CoverUp, same model",
}
OURS = tuple(tool for tool in TOOLS if tool.startswith("hybridgen"))
PUBLISHED = {
    "coverup_gpt4o": "CoverUp GPT-4o",
    "codamosa_gpt4o": "CodaMosa GPT-4o",
    "codamosa_codex": "CodaMosa Codex",
}

INTRODUCTION = """\
# Benchmarks

Written by `python bench/report.py` from the files in `bench/results/`; how to run them again is
in [bench/README.md](../bench/README.md). Every number on tests was measured from outside, by
plain pytest, coverage.py and cosmic-ray, not by the tool that wrote the tests.

- **line+branch**: covered statements plus covered branches, of all of the module's. Pooled rows add
  these up over the modules.
- **mutants**: killed, of a seeded sample of cosmic-ray's mutants of the whole module, covered or
  not, spread over as many places as there are; mutants inside of annotations are left out.
- **cases**: tests as pytest counts them that pass on the code as it is and in each of the shuffled
  runs; the others are *failing* or *flaky* and count for nothing else. An `xfail` that fails as
  announced counts as passing.
- **seconds**: wall time of generation. **MiB**: the largest process of the tool (of CoverUp, its
  model's server included).
- All tools start from the same clean copy without tests, with the same time for each module; a
  tool that ends early ends early.
"""


def main() -> None:
    """Writes the document."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=BENCH / "results")
    parser.add_argument("--to", type=Path, default=BENCH.parent / "docs" / "benchmarks.md")
    options = parser.parse_args()
    options.to.write_text(document(options.results), encoding="utf-8")


def document(folder: Path) -> str:
    """The whole text."""
    published, development = load(folder / "published"), load(folder / "development")
    rows, others = read("published"), read("development")
    parts = [INTRODUCTION, setting([*published.values(), *development.values()])]
    parts.append("## The 18 published modules\n")
    parts.append(main_table(rows, published))
    parts.append(goals(rows, published))
    parts.append(below(rows, published))
    notes = BENCH / "notes.md"
    if notes.exists():
        parts.append(notes.read_text(encoding="utf-8").strip() + "\n")
    parts += [details(name, rows, published[name]) for name in TOOLS if published.get(name)]
    measured = sorted(folder.glob("engine-*.json"))
    if measured:
        parts.append(engines([json.loads(path.read_text(encoding="utf-8")) for path in measured]))
    counted = sorted(folder.glob("targets-*.json"))
    if counted:
        parts.append(targets([json.loads(path.read_text(encoding="utf-8")) for path in counted]))
    seeded = folder / "seeded.json"
    if seeded.exists():
        parts.append(seeded_bugs(json.loads(seeded.read_text(encoding="utf-8"))))
    parts.append("## Modules that hybridgen was developed on\n")
    parts.append(short_table(others, development))
    return "\n".join(part for part in parts if part)


def read(name: str) -> list[dict[str, str]]:
    """The rows of a set."""
    with (BENCH / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def load(folder: Path) -> dict[str, Results]:
    """Results by tool and module."""
    return {
        tool: {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((folder / tool).glob("*.json"))
        }
        for tool in TOOLS
    }


def reached(result: Result, kind: str = "both") -> tuple[int, int]:
    """Covered and all: statements (``line``), branches (``branch``) or both."""
    said = result["coverage"]
    keys = {"line": ["statements"], "branch": ["branches"]}.get(kind, ["statements", "branches"])
    return sum(said[f"covered_{key}"] for key in keys), sum(said[key] for key in keys)


def killed(result: Result) -> tuple[int, int]:
    """Killed and sampled mutants."""
    return result["mutants"]["killed"], result["mutants"]["sampled"]


def percent(part: float, whole: float) -> str:
    """``"87.5"``; 100 where there is nothing to reach."""
    return f"{100 * part / whole:.1f}" if whole else "100.0"


def value(part: tuple[int, int]) -> float:
    """A share in percent, as :func:`percent` rounds it."""
    return float(percent(*part))


def pooled(
    results: Iterable[Result], count: Callable[[Result], tuple[int, int]]
) -> tuple[int, int]:
    """The sums of two counts."""
    pairs = [count(result) for result in results]
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; every column but the first is aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def setting(tools: Sequence[Results]) -> str:
    """Machine, versions, seeds and dates, as far as the results agree."""
    results = [result for tool in tools for result in tool.values()]
    if not results:
        return "No results yet.\n"
    machines = {
        f"{said['cores']} cores ({said['cpu']}), {said['memory_gib']} GiB, {said['system']}"
        for said in (result["machine"] for result in results)
    }
    versions: dict[str, set[str]] = {}
    for result in results:
        for name, text in result["versions"].items():
            if isinstance(text, str):
                versions.setdefault(name, set()).add(text)
    lines = {
        "machine": sorted(machines),
        "load before a row": _range(sorted({result["load"] for result in results})),
        "dates": sorted({result["date"] for result in results}),
        "seconds a module": sorted({f"{result['budget']:g}" for result in results}),
        "seeds": sorted({str(result["seed"]) for result in results}),
        "shuffled runs": sorted({str(result["settings"]["runs"]) for result in results}),
        "mutants a module": sorted({str(result["settings"]["mutants"]) for result in results}),
        "models": sorted({result["model"] for result in results if result["model"]}),
        "versions": [f"{name} {' / '.join(sorted(versions[name]))}" for name in sorted(versions)],
    }
    return "".join(f"- {name}: {', '.join(found)}\n" for name, found in lines.items() if found)


def _range(numbers: Sequence[float]) -> list[str]:
    return [f"{numbers[0]} to {numbers[-1]}"]


def main_table(rows: Sequence[dict[str, str]], results: dict[str, Results]) -> str:
    """The published numbers beside ours and the peers': line+branch, then mutants."""
    tools = [tool for tool in TOOLS if results[tool]]
    head = ["line+branch, mutants in %", *PUBLISHED.values()]
    head += [f"{TOOLS[tool]}: {kind}" for tool in tools for kind in ("l+b", "mutants", "cases")]
    lines = []
    for row in rows:
        line = [f"`{row['module']}`", *(row[f"{name}_line_branch"] for name in PUBLISHED)]
        for tool in tools:
            line += _cells(results[tool].get(row["module"]))
        lines.append(line)
    sums = ["**pooled**", *(f"**{published_pooled(rows, name)}**" for name in PUBLISHED)]
    for tool in tools:
        sums += _sums(list(results[tool].values()), len(rows))
    return table(head, [*lines, sums])


def _cells(result: Result | None) -> list[str]:
    if result is None:
        return ["", "", ""]
    return [percent(*reached(result)), percent(*killed(result)), str(result["tests"]["cases"])]


def _sums(results: Sequence[Result], expected: int) -> list[str]:
    share = "" if len(results) == expected else f" ({len(results)} of {expected})"
    cases = sum(result["tests"]["cases"] for result in results)
    return [
        f"**{percent(*pooled(results, reached))}**{share}",
        f"**{percent(*pooled(results, killed))}**",
        f"**{cases}**",
    ]


def published_pooled(rows: Sequence[dict[str, str]], name: str) -> str:
    """Published percentages, weighted by the published numbers of lines and branches."""
    covered = whole = 0.0
    for row in rows:
        for kind, count in (("line", "lines"), ("branch", "branches")):
            covered += float(row[f"{name}_{kind}"]) / 100 * int(row[count])
            whole += int(row[count])
    return percent(covered, whole)


def goals(rows: Sequence[dict[str, str]], results: dict[str, Results]) -> str:
    """The goals in numbers, over the modules that both sides have."""
    lines = []
    for tool in OURS:
        own = list(results[tool].values())
        if own:
            passed = pooled(
                own, lambda r: (r["shuffled"]["case_passes"], r["shuffled"]["case_runs"])
            )
            bad = [sum(r["tests"]["failed"] for r in own), sum(r["shuffled"]["flaky"] for r in own)]
            lines.append(
                f"- {TOOLS[tool]}, {len(own)} of {len(rows)} modules: "
                f"{percent(*pooled(own, reached))} % line+branch, "
                f"{percent(*pooled(own, killed))} % of mutants, {bad[0]} failing, {bad[1]} flaky, "
                f"{passed[0]} of {passed[1]} case runs in shuffled orders passed."
            )
    for tool, peer in (("hybridgen", "pynguin"), ("hybridgen-model", "coverup")):
        lines += _against(results, tool, peer)
    return "### In sum\n\n" + "\n".join(lines) + "\n" if lines else ""


def _against(results: dict[str, Results], tool: str, peer: str) -> list[str]:
    both = [name for name in results[tool] if name in results[peer]]
    if not both:
        return []
    ours, theirs = ([results[side][name] for name in both] for side in (tool, peer))
    cases, functions = (
        [sum(r["tests"][key] for r in side) for side in (ours, theirs)]
        for key in ("cases", "functions")
    )
    scores = [value(pooled(side, killed)) for side in (ours, theirs)]
    ratio = f"{scores[0] / scores[1]:.1f} times" if scores[1] else "against none"
    return [
        f"- {TOOLS[tool]} against {TOOLS[peer]} over {len(both)} modules: line+branch "
        f"{percent(*pooled(ours, reached))} and {percent(*pooled(theirs, reached))} %, mutants "
        f"{scores[0]} and {scores[1]} % ({ratio}), kept test functions {functions[0]} and "
        f"{functions[1]} (cases {cases[0]} and {cases[1]})."
    ]


def below(rows: Sequence[dict[str, str]], results: dict[str, Results]) -> str:
    """The rows below the goal, by name."""
    lines = []
    for row in rows:
        for tool in OURS:
            result = results[tool].get(row["module"])
            if result is None:
                continue
            both, score = value(reached(result)), value(killed(result))
            if both < LINE_BRANCH_GOAL or score < MUTANT_GOAL or result["shuffled"]["flaky"]:
                reason = result["generation"]["reason"]
                missing = result["coverage"].get("missing_lines", "")
                lines.append(
                    f"- `{row['module']}`, {TOOLS[tool]}: {both} % line+branch, {score} % mutants"
                    + (f", {result['shuffled']['flaky']} flaky" * bool(result["shuffled"]["flaky"]))
                    + (f"; lines not reached: {missing}" if missing else "")
                    + (f"; {' '.join(reason.split())}" if reason else "")
                )
    goal = f"{LINE_BRANCH_GOAL:.0f} % line+branch, {MUTANT_GOAL:.0f} % mutants"
    return f"### Below the goal ({goal})\n\n" + "\n".join(lines) + "\n" if lines else ""


def details(tool: str, rows: Sequence[dict[str, str]], results: Results) -> str:
    """Everything that was measured of one tool."""
    head = [
        "module", "line", "branch", "l+b", "mutants", "cases", "functions", "failing", "flaky",
        "pass rate", "assertions", "lines of tests", "seconds", "tokens", "MiB",
    ]  # fmt: skip
    lines = []
    for row in rows:
        result = results.get(row["module"])
        if result is None:
            continue
        tests, shuffled, made = result["tests"], result["shuffled"], result["generation"]
        lines.append(
            [
                f"`{row['module']}`",
                *(percent(*reached(result, kind)) for kind in ("line", "branch", "both")),
                f"{killed(result)[0]}/{killed(result)[1]}",
                *(str(tests[key]) for key in ("cases", "functions", "failed")),
                str(shuffled["flaky"]),
                percent(shuffled["case_passes"], shuffled["case_runs"])
                if shuffled["case_runs"]
                else "-",
                *(str(tests[key]) for key in ("assertions", "lines")),
                f"{made['seconds']:.0f}",
                "-" if made["tokens"] is None else str(made["tokens"]),
                str(made["peak_mib"]),
            ]
        )
    empty = [
        f"- `{name}`: {' '.join(result['generation']['reason'].split())}"
        for name, result in results.items()
        if not result["tests"]["cases"] and result["generation"]["reason"]
    ]
    text = f"### {TOOLS[tool]} in full\n\n{table(head, lines)}"
    return text + ("\nWithout a test:\n\n" + "\n".join(empty) + "\n" if empty else "")


def engines(results: Sequence[dict[str, Any]]) -> str:
    """How fast the engine is: a table for each model, then the speeds behind its ratios."""
    parts = [
        "## The engine\n",
        "`python bench/engine.py --model NAME --save FILE` measures it, on a machine that does "
        "nothing else; its text says what is compared with what. Ratios are made round by round.\n",
    ]
    for found in results:
        parts.append(
            "### {model}: {threads} threads, {prompt_tokens} tokens read, {decoded_tokens} "
            "decoded, {rounds} rounds\n".format(**found)
        )
        ratios = [(name, cells) for name, cells in found.items() if isinstance(cells, dict)]
        shown = [*ratios[:-1], *found["speeds"].items()]
        head = ("ratio, or tokens a second (seconds for `first`, `second`, `sampling`)", "median")
        rows = [
            (f"`{n}`", *(f"{c[key]:.4g}" for key in ("median", "low", "high"))) for n, c in shown
        ]
        parts.append(table((*head, "lowest", "highest"), rows))
    return "\n".join(parts)


def targets(results: Sequence[dict[str, Any]]) -> str:
    """What questions about more and more targets cost: time linear, memory flat."""
    head = ("targets", "seconds", "seconds for one", "engine, MiB", "command, MiB")
    keys = ("targets", "seconds", "seconds_each", "engine_mib", "command_mib")
    parts = [
        "### What 1 to 1,000 targets cost\n",
        "`python bench/targets.py --model NAME --save FILE`: a question about each function of a "
        "made-up module; memory is what the process holds at its most.\n",
    ]
    for found in results:
        parts.append("{model}, {samples} answers of {tokens} tokens:\n".format(**found))
        parts.append(table(head, [[str(row[key]) for key in keys] for row in found["rows"]]))
    return "\n".join(parts)


def seeded_bugs(said: dict[str, Any]) -> str:
    """How many bugs put into the source are pointed at, by module."""
    lines = [
        [
            f"`{name}`",
            str(len(entry["mutants"])),
            *(
                str(sum(item[key] for item in entry["mutants"].values()))
                for key in ("flagged", "elsewhere")
            ),
            str(len(entry["alarms"] or ())),
        ]
        for name, entry in said["modules"].items()
    ]
    total = said["totals"]
    counts = (total[key] for key in ("mutants", "flagged", "elsewhere", "alarms"))
    lines.append(["**all**", *(f"**{count}**" for count in counts)])
    head = ["module", "seeded bugs", "flagged", "elsewhere", "alarms without a bug"]
    setting = ", ".join(f"{name} {value}" for name, value in said["setting"].items())
    return (
        "## Suspects: seeded bugs\n\n"
        "A mutant is put into the source, then hybridgen runs without a model (`bench/seeded.py`). "
        "*Flagged*: a suspect at the changed function that the source as it is does not have; "
        "*elsewhere*: only at another function. Mutants that no documented example, hint or law "
        f"speaks of cannot be seen as wrong. ({setting})\n\n{table(head, lines)}"
    )


def short_table(rows: Sequence[dict[str, str]], results: dict[str, Results]) -> str:
    """Line+branch, mutants and cases of the modules of the development set."""
    tools = [tool for tool in TOOLS if results[tool]]
    if not tools:
        return "No results yet.\n"
    head = ["module", "kind"]
    head += [f"{TOOLS[tool]}: {kind}" for tool in tools for kind in ("l+b", "mutants", "cases")]
    lines = []
    for row in rows:
        if any(row["module"] in results[tool] for tool in tools):
            line = [f"`{row['module']}`", row["kind"]]
            for tool in tools:
                line += _cells(results[tool].get(row["module"]))
            lines.append(line)
    sums = ["**pooled**", ""]
    for tool in tools:
        sums += _sums(list(results[tool].values()), len(rows))
    return table(head, [*lines, sums])


if __name__ == "__main__":
    main()
