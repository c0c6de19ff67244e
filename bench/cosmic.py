"""Judges tests by a seeded sample of cosmic-ray's mutants of one file; run inside a box.

    python bench/cosmic.py PLAN.json

The plan holds ``module`` (path of the file), ``command`` (of the tests, run for each mutant),
``timeout``, ``count``, ``seed``, ``session`` (a file for cosmic-ray) and ``result`` (a file). Left
out are mutants inside of annotations, which say nothing at run time. A mutant that takes too long
counts as killed, as cosmic-ray counts it. Work in the folder that the tests are run from.
"""

from __future__ import annotations

import ast
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cosmic_ray.commands import execute, init
from cosmic_ray.config import ConfigDict
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkItem

Place = tuple[int, int]


def annotations(text: str) -> Iterator[tuple[Place, Place]]:
    """Where annotations begin and end, as (line, column)."""
    for node in ast.walk(ast.parse(text)):
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if isinstance(part, ast.expr):
                yield (
                    (part.lineno, part.col_offset),
                    (part.end_lineno or 0, part.end_col_offset or 0),
                )


def sample(items: list[WorkItem], text: str, count: int, seed: int) -> tuple[int, list[WorkItem]]:
    """How many mutants there are, and ``count`` of them, from as many places as there are.

    Cosmic-ray makes a dozen mutants of one comparison: a second one of a place is drawn only
    when each place has given one, or a few lines would decide the score.
    """
    spans = list(annotations(text))

    def is_wanted(spec: MutationSpec) -> bool:
        return spec.operator_name != "core/NoOp" and not any(
            start <= spec.start_pos < end for start, end in spans
        )

    places: dict[tuple[Place, Place], list[WorkItem]] = {}
    for item in items:
        spec = item.mutations[0]
        if is_wanted(spec):
            places.setdefault((spec.start_pos, spec.end_pos), []).append(item)
    drawer = random.Random(seed)
    rounds: list[tuple[int, float, WorkItem]] = []
    for place in sorted(places):
        found = sorted(places[place], key=_kind)
        drawer.shuffle(found)
        rounds += [(number, drawer.random(), item) for number, item in enumerate(found)]
    rounds.sort(key=lambda entry: entry[:2])
    return len(rounds), [item for _, _, item in rounds[:count]]


def _kind(item: WorkItem) -> tuple[str, int]:
    return item.mutations[0].operator_name, item.mutations[0].occurrence


def main(plan: dict[str, Any]) -> None:
    """Runs the plan and writes its result."""
    module = Path(plan["module"])
    text = module.read_text(encoding="utf-8")
    settings = ConfigDict(
        {
            "timeout": plan["timeout"],
            "test-command": plan["command"],
            "distributor": {"name": "local"},
        }
    )
    with use_db(plan["session"]) as session:
        init([module], session, {})
        possible, drawn = sample(list(session.work_items), text, plan["count"], plan["seed"])
        session.clear()
        session.add_work_items(drawn)
        execute(session, settings)
        done = list(session.completed_work_items)
    survivors, killed, late = [], 0, 0
    for item, result in done:
        if result.test_outcome == TestOutcome.SURVIVED:
            spec = item.mutations[0]
            survivors.append((spec.start_pos[0], spec.operator_name.removeprefix("core/")))
        else:
            killed += 1
            late += result.output == "timeout"
    said = {
        "possible": possible, "sampled": len(drawn), "killed": killed, "timeouts": late,
        "survivors": [f"{line}: {name}" for line, name in sorted(survivors)],
    }  # fmt: skip
    Path(plan["result"]).write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
