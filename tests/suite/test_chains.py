"""Chains of one form become an object and a question."""

from __future__ import annotations

from collections.abc import Callable

from hybridgen.domain import Module, Observation
from hybridgen.domain.mutants import Kills
from hybridgen.suite import render
from hybridgen.suite.chains import unchained

SOURCE = """\
class Version:
    def __init__(self, major):
        self.major = major

    @classmethod
    def parse(cls, text):
        return cls(int(text))

    def matches(self, other):
        return self.major == other
"""

Observe = Callable[..., Observation]


def test_chains_of_one_form_are_rows_of_one_table(
    make_module: Callable[..., Module], make_observe: Callable[[Module], Observe]
) -> None:
    module = make_module(SOURCE, "version")
    observe = make_observe(module)
    found = [
        observe("Version.matches", f"= Version.parse('{major}').matches({other})")
        for major, other in ((1, 1), (2, 1), (3, 4))
    ]
    noticing = {("Version.parse('1').matches(1)", "is  True"): frozenset({0})}
    kills = Kills(found={found[0].candidate: noticing}, partial=frozenset({found[1].candidate}))
    split, renamed = unchained(found, kills)
    assert [step.code for step in split[0].candidate.steps] == [
        "version = Version.parse('1')",
        "version.matches(1)",
    ]
    assert renamed.found[split[0].candidate] == {("version.matches(1)", "is  True"): frozenset({0})}
    assert split[1].candidate in renamed.partial
    text = render(
        module, "version", split, path=module.project.tests_folder / "test_version.py",
        previous=None, line_length=88,
    ).text  # fmt: skip
    assert text.count("def test_") == 1
    assert '"other", "expected")' in text


def test_a_chain_of_its_own_stays_in_one_line(
    make_module: Callable[..., Module], make_observe: Callable[[Module], Observe]
) -> None:
    observe = make_observe(make_module(SOURCE, "version"))
    alone = observe("Version.matches", "= Version.parse('1').matches(1)")
    broken = [observe("Version.matches", f"= Version.parse('{t}').matches(1)") for t in "ab"]
    assert unchained([alone, *broken], Kills())[0] == (alone, *broken)
