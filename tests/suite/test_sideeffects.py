"""Cases that touch more than values when they are repeated without a sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hybridgen import suite
from hybridgen.domain import Module, Observation, Raised, Step, StepKind, StepResult
from hybridgen.suite.sideeffects import FOLDER, anchored, effects_of, replaced_outside, side_effect

SOURCE = """\
import os
import shutil
import subprocess as sp
from pathlib import Path


def save(path, text):
    if not text:
        return False
    with open(path, "w") as stream:
        stream.write(text)
    return True


def run(command):
    if not command:
        return None
    return sp.run(
        command
    )
"""


def test_writing_is_kept_only_below_tmp_path(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    tmp_path: Path,
) -> None:
    module = make_module(SOURCE, "shop.files")
    observe = make_observe(module)
    cases = [
        observe("save", f"= save({str(tmp_path / 'a')!r}, 'x')"),
        observe("save", "= save('a', '')"),
        observe("save", "= save(tmp_path / 'a', 'x')", fixtures=["tmp_path"], tmp_path=tmp_path),
        observe("run", "= run('')"),
        observe("run", "= run(['true']).returncode"),
    ]
    kept, dropped = suite.screened(cases, module, "shop.files")
    assert kept == (cases[1], cases[2], cases[3])
    assert dropped == {
        "writes files outside of tmp_path": 1,
        "starts programs or uses the network": 1,
    }


def test_a_call_to_the_outside_that_is_replaced_is_no_effect_and_is_reported(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(SOURCE, "shop.files")
    case = make_observe(module)("run", "= run(['true']).returncode")
    path = "shop.files.sp.run"
    patch = Step(StepKind.SETUP, f"monkeypatch.setattr({path!r}, lambda *args, **kwargs: 0)")
    steps, results = case.candidate.steps, case.results
    candidate = replace(
        case.candidate, steps=(patch, *steps), fixtures=(*case.candidate.fixtures, "monkeypatch")
    )
    replaced = replace(case, candidate=candidate, results=(StepResult("ok"), *results))
    assert side_effect(case, SOURCE) == "starts programs or uses the network"
    assert side_effect(replaced, SOURCE) is None
    assert replaced_outside([case, replaced, replaced], module) == (
        "sp.run is replaced in 2 tests: the real one never runs",
    )


def test_what_only_the_sandbox_raised_is_not_frozen(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    case = observe("discount", "= discount(1, 101)")
    raised = Raised("PermissionError", "", "", is_deliberate=True, is_inside=True)
    denied = replace(case, results=(StepResult("raised", raised=raised),))
    assert suite.drop_reason(denied, pricing, "shop.pricing") == "sandbox"
    assert suite.drop_reason(case, pricing, "shop.pricing") is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import os\nos.remove('x')", "files"),
        ("from os import unlink as u\nu('x')", "files"),
        ("import shutil\nshutil.rmtree('x')", "files"),
        ("from shutil import copy\ncopy('x', 'y')", "files"),
        ("p.write_text('x')", "files"),
        ("open('x', mode='a')", "files"),
        ("open('x', m)", "files"),
        ("p.open('w')", "files"),
        ("import sqlite3\nsqlite3.connect('x')", "files"),
        ("import os\nos.system('x')", "outside"),
        ("import socket\nsocket.socket()", "outside"),
        ("import urllib.request\nurllib.request.urlopen('x')", "outside"),
        ("from requests import get\nget('x')", "outside"),
        ("import os\nos.path.join('a', 'b')", ""),
        ("open('x')", "asks"),
        ("open('x', 'rb')", "asks"),
        ("import os\nos.path.exists('x')", "asks"),
        ("from os.path import isfile\nisfile('x')", "asks"),
        ("import os\nos.listdir('x')", "asks"),
        ("p.read_text()", "asks"),
        ("p.exists()", "asks"),
        ("exists('x')", ""),
        ("def exists(self): ...\nstore.exists('x')", ""),
        ("'a'.replace('a', 'b')", ""),
        ("[1].remove(1)", ""),
        ("import shutil\nshutil.which('ls')", ""),
        ("import urllib.parse\nurllib.parse.quote('x')", ""),
    ],
)
def test_calls_are_told_apart(code: str, kind: str) -> None:
    effects = effects_of(code)
    last = code.count("\n") + 1
    assert (last in effects.files) is (kind == "files")
    assert (last in effects.asks) is (kind == "asks")
    assert (last in effects.outside) is (kind == "outside")


REMOVING = """\
import os


def forget(path):
    if os.path.exists(path):
        os.remove(path)
    return path
"""


def test_what_asks_for_files_is_repeated_in_an_empty_folder(
    make_module: Callable[..., Module], make_observe: Callable[[Module], Callable[..., Observation]]
) -> None:
    module = make_module(REMOVING, "shop.files")
    case = make_observe(module)("forget", "= forget('a')")
    assert side_effect(case, REMOVING) == "reads files outside of tmp_path"
    candidate = anchored(case, REMOVING)
    assert candidate.steps == (Step(StepKind.SETUP, FOLDER), *case.candidate.steps)
    assert candidate.fixtures == ("monkeypatch", "tmp_path")
    assert side_effect(replace(case, candidate=candidate), REMOVING) is None
    assert anchored(replace(case, candidate=candidate), REMOVING) is candidate


def test_a_call_that_comes_to_no_file_stays_as_it_is(
    make_module: Callable[..., Module], make_observe: Callable[[Module], Callable[..., Observation]]
) -> None:
    module = make_module(SOURCE, "shop.files")
    case = make_observe(module)("save", "= save('a', '')")
    assert anchored(case, SOURCE) is case.candidate
