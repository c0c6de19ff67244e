"""Replies recorded from real small models: every sensible call in them is recovered.

The number of probes for each reply in ``index.json`` was read off by a person who compared the
reply with what was recovered; a change may raise it, not lower it.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from hybridgen.domain import Candidate, Completion, Label, Module, StepKind, Usage
from hybridgen.post import candidates

CORPUS = Path(__file__).parent / "corpus"
INDEX = json.loads((CORPUS / "index.json").read_text(encoding="utf-8"))


def recovered(
    entry: Mapping[str, object], sample_module: Callable[[str], Module]
) -> tuple[Candidate, ...]:
    module = sample_module(str(entry["module"]))
    target = next(item for item in module.targets if item.qualname == entry["target"])
    text = (CORPUS / str(entry["file"])).read_bytes().decode("utf-8")
    completion = Completion(
        text, Label.CONFIDENTIAL, "local", "recorded", Usage(0, 0, 0.0), bool(entry["is_cut_off"])
    )
    return candidates(completion, module, target)


@pytest.mark.parametrize("entry", INDEX, ids=[entry["file"] for entry in INDEX])
def test_calls_of_a_real_reply_are_recovered(
    entry: dict[str, int], sample_module: Callable[[str], Module]
) -> None:
    found = recovered(entry, sample_module)
    probes = [step for item in found for step in item.steps if step.kind is StepKind.PROBE]
    assert len(found) >= entry["candidates"]
    assert len(probes) >= entry["probes"]


@pytest.mark.parametrize("entry", INDEX, ids=[entry["file"] for entry in INDEX])
def test_no_step_of_a_real_reply_meets_an_unknown_name(
    entry: Mapping[str, object], sample_module: Callable[[str], Module], tmp_path: Path
) -> None:
    module = imported(str(entry["module"]))
    for candidate in recovered(entry, sample_module):
        namespace = {**vars(module), "tmp_path": tmp_path}
        exec("\n".join(candidate.imports), namespace)
        for step in candidate.steps:
            try:
                exec(step.code, namespace)
            except (NameError, SyntaxError) as error:
                pytest.fail(f"{step.code}: {error}")
            except Exception:
                break  # the code under test may raise, that is what tests find out


def imported(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, CORPUS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name while they are made.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    return module
