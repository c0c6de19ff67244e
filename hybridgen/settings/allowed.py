"""What a project's own file may set: it comes with the code, so anybody may have written it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hybridgen.settings.fields import LONGEST_PROJECT_BUDGET

# How far each may be set. Everything else is an error there.
PROJECT_KEYS: Final[Mapping[str, str]] = {
    "backend": "`local` only",
    "offline": "`true` only",
    "effort": "`quick` or `normal`",
    "budget": "at most 120",
    "tests": "a relative path that stays inside the project",
    "seed": "",
    "temperature": "",
    "line_length": "",
    "suspects": "`report` or `xfail`",
    "cache": "`false` only",
    "context": "`raise` only",
    "labels_public": "counts once you said `hybridgen trust`",
    "labels_internal": "counts once you said `hybridgen trust`",
    "labels_confidential": "",
    "labels_headers": "",
}

USER_KEYS: Final = (
    *("labels_public", "labels_internal", "labels_headers"),
    *("labels_packages_public", "labels_packages_internal"),
    *("gemini_terms", "gemini_acknowledge_unpaid", "gemini_sdk"),
    *("gemini_url", "gemini_proxy", "gemini_ca"),
    *("onprem_url", "onprem_trusted_hosts", "onprem_ca"),
)
"""Where prompts go, under which terms, and what makes files looser. No variable sets these: a
Makefile, a ``.env`` or a CI file of a repository sets variables too."""

_ONLY: Final[Mapping[str, object]] = {
    "backend": "local",
    "offline": True,
    "cache": False,
    "context": "raise",
}


def is_allowed_in_project(key: str, value: object, root: Path) -> bool:
    """Whether a project's file may give ``key`` this value, as :data:`PROJECT_KEYS` promises.

    Args:
        root: the project's folder.
    """
    if key not in PROJECT_KEYS:
        return False
    if key in _ONLY:
        return value == _ONLY[key]
    if key == "budget":
        return isinstance(value, float) and value <= LONGEST_PROJECT_BUDGET
    if key == "effort":
        return value != "thorough"
    if key == "suspects":
        # Whoever wrote the code may not hide from its user what looks wrong with it.
        return value != "drop"
    if key == "tests":
        text = str(value)
        is_relative = not Path(text).is_absolute() and ".." not in Path(text).parts
        real = root.resolve()
        return is_relative and (real / text).resolve().is_relative_to(real)
    return True
