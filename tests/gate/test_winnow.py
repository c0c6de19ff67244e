"""Fingerprints: what a copy survives, and what is in every file and tells nothing."""

from __future__ import annotations

import ast
import random
import subprocess
import sys

import pytest

from hybridgen.gate.winnow import GRAM, WINDOW, fingerprints


def prints(text: str, *, is_file: bool = False) -> set[int]:
    return set(fingerprints(text, is_file=is_file)[0].tolist())


def words(seed: int, count: int) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choices("abcdefghij", k=draw.randint(1, 30))) for _ in range(count)]


@pytest.fixture
def code(margins_text):
    return margins_text


def test_equal_text_has_equal_fingerprints_and_other_text_has_others(code, prices_text):
    assert prints(code) == prints(code) != set()
    assert prints(code).isdisjoint(prints(prices_text))


def test_another_layout_changes_nothing(code):
    bare = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("#"))
    again = ast.unparse(ast.parse(bare))
    crowded = bare.replace("    ", "\t").replace(", ", ",\n").replace('"', "'")
    assert prints(bare) == prints(again) == prints(crowded)


def test_a_copy_within_a_string_literal_is_known(code):
    lines = code[code.index("def ") :].splitlines()
    bare = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    assert prints(repr(bare)) == prints(repr(repr(bare))) == prints(bare) != set()


def test_code_is_known_without_its_comments(code):
    bare = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("#"))
    assert prints(bare) <= prints(code)
    assert len(prints(bare)) > 10


def test_comments_are_known_without_their_code(code):
    comment = "# Suppliers of the first tier grant a hidden rebate that nobody tells.\n"
    assert prints(comment) != set()
    assert prints(comment) <= prints(code + comment)


def test_a_renamed_variable_leaves_most_fingerprints(code):
    renamed = code.replace("booked", "recorded")
    assert len(prints(code) & prints(renamed)) >= len(prints(code)) / 2


@pytest.mark.parametrize("seed", range(20))
def test_any_shared_run_as_long_as_gram_and_window_leaves_a_fingerprint(seed):
    shared = words(seed, GRAM + WINDOW - 1)
    one = [*words(seed + 100, 30), *shared, *words(seed + 200, 30)]
    other = [*words(seed + 300, 7), *shared]
    assert prints(" ".join(one)) & prints("\n".join(other))


def test_the_line_is_where_the_text_is(code):
    inner = "\n".join(code.splitlines()[9:14])
    wanted = prints(inner)
    hashes, lines = fingerprints(f"x = 1\n\n\n{code}", is_file=True)
    found = [
        line for one, line in zip(hashes.tolist(), lines.tolist(), strict=True) if one in wanted
    ]
    assert min(found) in (13, 14)
    assert max(found) <= 17


def test_imports_tell_nothing():
    imports = "import os, sys\nfrom collections.abc import (\n    Callable,\n    Iterator,\n)\n"
    imports += "from pathlib import Path as P, PurePath\nimport importlib.metadata as metadata\n"
    assert prints(imports) == set()


def test_code_behind_an_import_in_the_same_line_is_kept(code):
    line = "alpha(beta, gamma, delta, epsilon, zeta, eta, theta, iota, kappa, mu, nu)"
    assert prints(f"import os; {line}") & prints(line)


def test_no_line_keeps_the_search_for_imports_busy_for_ever():
    code = (
        "from hybridgen.gate.winnow import fingerprints;"
        "fingerprints('import x; ' * 1_000_000, is_file=True)"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True, timeout=60)


def test_a_table_of_zeros_takes_little_memory():
    code = (
        "import resource; from hybridgen.gate.winnow import fingerprints;"
        "fingerprints('0,' * 2_500_000, is_file=True);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, timeout=60, capture_output=True
    )
    assert int(done.stdout) < 600 * 1024  # 900 MiB where every place is looked at


def test_of_equal_places_the_first_is_told_however_many_there_are(code):
    hashes, lines = fingerprints(code * 1000, is_file=True)
    assert len(hashes) < 500
    assert max(lines.tolist()) <= 2 * (code.count("\n") + 1)


LICENCE = (
    "# Copyright 2026 The Shop, all rights reserved.\n"
    "# Use of this source code is governed by the licence that comes along with it.\n\n"
)


def test_a_licence_at_the_head_of_a_file_tells_nothing(code):
    assert prints(LICENCE + code, is_file=True) == prints(code, is_file=True)
    assert prints(LICENCE, is_file=False) != set()


def test_a_comment_that_is_no_licence_stays(code):
    note = "# How margins are computed for each of the suppliers, and why freight is in it.\n"
    assert prints(note + code, is_file=True) > prints(code, is_file=True)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "#", "x = 1", "0, 0, 0, 1, " * 50, "'#'", "# one\n#two", "a\r\nb", "\ud800 é"],
)
def test_what_says_nothing_has_none(text):
    assert prints(text) == set()


def test_words_beyond_ascii_count():
    german = "Größe Fläche Höhe Länge Breite Stärke Dichte Kühlung Prüfung Übergang Maß"
    assert len(prints(german)) >= 1
    assert prints(german).isdisjoint(prints(german.encode().decode("latin-1")))


def test_words_that_differ_late_differ():
    long = "x" * 30
    one, other = (" ".join(f"{long}{end}{n}" for n in range(12)) for end in "ab")
    assert prints(one).isdisjoint(prints(other))
