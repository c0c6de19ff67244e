"""What ``hybridgen doctor`` found, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from hybridgen.domain.health import Finding, State, is_wrong
from hybridgen.report.visible import one_line, visible

SCHEMA_VERSION: Final = 1

_MARK_WIDTH: Final = max(map(len, State))
_SUBJECT_WIDTH: Final = 12


def as_lines(finding: Finding) -> str:
    """One line with the mark first; below it, where something is not right, details and the fix."""
    return visible("\n".join(_lines(finding)))


def summary(findings: Sequence[Finding]) -> str:
    """How many of which, and what the exit code says."""
    counts = Counter(finding.state for finding in findings)
    said = [f"{counts[state]} {state}" for state in (State.WRONG, State.WARNING) if counts[state]]
    if is_wrong(findings):
        return f"{', '.join(said)}: what is wrong has to be mended (exit code 1)"
    if said:
        return f"{', '.join(said)}, nothing is wrong (exit code 0)"
    return "nothing is wrong (exit code 0)"


def as_json(findings: Sequence[Finding], *, version: str, is_online: bool) -> str:
    """The findings as one document; it names folders of this user, so it is confidential."""
    counts = Counter(finding.state for finding in findings)
    document = {
        "schema_version": SCHEMA_VERSION,
        "label": "confidential",
        "version": version,
        "online": is_online,
        "exit_code": int(is_wrong(findings)),
        "counts": {state.value: counts[state] for state in State},
        "findings": [
            {
                "subject": one.subject,
                "state": one.state.value,
                "text": one.text,
                "fix": one.fix,
                "details": list(one.details),
                "facts": dict(one.facts),
            }
            for one in findings
        ],
    }
    return json.dumps(document, indent=2)


def _lines(finding: Finding) -> Iterator[str]:
    blank = " " * (_MARK_WIDTH + _SUBJECT_WIDTH + 4)
    mark, subject = f"{finding.state:{_MARK_WIDTH}}", f"{finding.subject:{_SUBJECT_WIDTH}}"
    yield f"{mark}  {subject}  {one_line(finding.text)}"
    if finding.state in (State.WARNING, State.WRONG):
        yield from (f"{blank}{one_line(detail)}" for detail in finding.details)
        if finding.fix is not None:
            yield f"{blank}fix: {one_line(finding.fix)}"
