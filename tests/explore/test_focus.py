"""What counts as open for a target."""

from __future__ import annotations

from collections.abc import Callable

from hybridgen.domain import Module
from hybridgen.explore.focus import Focus

SOURCE = """
def shown(value):
    return _cut(value)


def plain(value):
    return value


def _cut(value):
    if _is_long(value):
        return value[:3]
    return value


def _is_long(value):
    return len(value) > 3


def _unused(value):
    return value
"""

IMPORT = [(-1, 2), (2, 6), (6, 10), (10, 16), (16, 20), (20, -1)]


def test_private_code_counts_for_the_public_targets_that_lead_to_it(
    read: Callable[[str], Module],
) -> None:
    module = read(SOURCE)
    public = [target for target in module.targets if not target.is_private]
    reached = [*IMPORT, (-2, 3), (3, -2), (-6, 7), (7, -6)]

    focus = Focus(module, public, reached)

    assert focus.names() == {"shown"}
    assert focus.counts()["shown"] >= 4


def test_target_whose_private_code_was_reached_is_done(read: Callable[[str], Module]) -> None:
    module = read(SOURCE)
    public = [target for target in module.targets if not target.is_private]
    reached = [
        *[*IMPORT, (-2, 3), (3, -2), (-6, 7), (7, -6), (-10, 11), (11, 12), (11, 13)],
        *[(12, -10), (13, -10), (-16, 17), (17, -16)],
    ]

    assert Focus(module, public, reached).names() == frozenset()
