"""One run of ``generate``: the backend, the sandbox, and the modules one by one."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hybridgen.backends import Backend
from hybridgen.domain import Outcome
from hybridgen.errors import SandboxUnavailable, UsageError
from hybridgen.lockdown import probe
from hybridgen.observe.runner import Sandbox
from hybridgen.pipeline.job import NOTHING_LEAVES, Job, Policy, Watcher
from hybridgen.pipeline.unit import Unit
from hybridgen.settings import Settings
from hybridgen.source import display_path, select


def generate(
    paths: Sequence[str],
    settings: Settings,
    make_backend: Callable[[], Backend] | None,
    watcher: Watcher,
    *,
    is_dry_run: bool,
    policy: Policy = NOTHING_LEAVES,
) -> tuple[Outcome, ...]:
    """Writes tests for every module that ``paths`` name.

    Args:
        make_backend: starts what prompts go to; None searches without a model.
        is_dry_run: make the difference, write nothing.
        policy: what decides where text may go.

    Raises:
        UsageError: a path that cannot be right, or nothing to test.
        SettingsError: the backend that is asked for is not set up, and a module may go there.
        SandboxUnavailable: the kernel cannot lock the runner.
    """
    started = time.monotonic()
    selections = select(paths)
    if not selections:
        raise UsageError(f"no Python module to test in {', '.join(paths)}", "name a .py file")
    sandbox = _sandbox(settings)
    outcomes = []
    with contextlib.ExitStack() as stack:
        scratch = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="hybridgen-", ignore_cleanup_errors=True)
            )
        )
        backend = make_backend() if make_backend is not None else None
        if backend is not None:
            stack.callback(backend.close)
        job = Job(settings, sandbox, backend, watcher, is_dry_run, policy)
        for number, selection in enumerate(selections):
            folder = scratch.resolve() / str(number)
            folder.mkdir()
            watcher.module(display_path(selection.path))
            outcomes.append(Unit(job, selection, folder, started).outcome())
            started = time.monotonic()
    if caveat := probe().caveat:
        outcomes[0] = replace(outcomes[0], notes=(caveat, *outcomes[0].notes))
    return tuple(outcomes)


def _sandbox(settings: Settings) -> Sandbox:
    is_locked = settings.sandbox == "required"
    minimum = settings.security_minimum_level
    if not probe().reaches(minimum):
        raise SandboxUnavailable(
            f"security.minimum_level = {minimum!r} ({settings.source_of('security_minimum_level')})"
            f" does not allow to run code here: {probe().why}",
            "see what this system can lock: hybridgen doctor",
        )
    if is_locked:
        level = probe()
        if not level.can_run:
            raise SandboxUnavailable(
                f"this system cannot lock the process that runs your code: {level.why}",
                "read docs/sandbox.md; --unsafe-no-sandbox runs it without protection",
            )
    return Sandbox(is_locked, settings.call_timeout, settings.memory_limit_mb * 2**20)
