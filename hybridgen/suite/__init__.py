"""From confirmed observations to a test file that a reviewer would merge.

The way through: :func:`screened` -> :func:`select` -> :func:`render` -> verification by real
pytest (the caller's) -> :func:`without` what failed -> :func:`write` or :func:`diff`.
"""

from hybridgen.suite.allowlist import forbidden
from hybridgen.suite.naming import says_nothing_wrong
from hybridgen.suite.placement import diff, read, sibling_path, test_path, write
from hybridgen.suite.rendering import render, without, without_own
from hybridgen.suite.screening import drop_reason, screened
from hybridgen.suite.selection import Choice, select
from hybridgen.suite.sideeffects import anchored, replaced_outside

__all__ = [
    "Choice",
    "anchored",
    "diff",
    "drop_reason",
    "forbidden",
    "read",
    "render",
    "replaced_outside",
    "says_nothing_wrong",
    "screened",
    "select",
    "sibling_path",
    "test_path",
    "without",
    "without_own",
    "write",
]
