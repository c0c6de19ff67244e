"""Projects in which real pytest, or the mirror made for it, has a hard time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.domain import Module
from hybridgen.observe import verify
from hybridgen.observe.runner import Sandbox
from hybridgen.observe.verify import Verifier

TEST = "from sample import f\n\ndef test_f():\n    assert f() == 1\n"
CONFTEST = "import sys; sys.path.insert(0, {root!r})\n"


@pytest.fixture
def check(
    read: Callable[..., Module], sandbox: Sandbox, tmp_path: Path
) -> Callable[..., verify.Verified]:
    """Verifies one good test, after the project was prepared, with no time left."""

    def check(prepare: Callable[[Path], None]) -> verify.Verified:
        module = read("def f():\n    return 1\n")
        root = module.project.root
        (root / "conftest.py").write_text(CONFTEST.format(root=str(root)))
        prepare(root)
        scratch = tmp_path / "verifying"
        scratch.mkdir()
        path = root / "tests" / "test_sample.py"
        return Verifier(module, "sample", sandbox, scratch).check(
            {path: TEST}, path, ["test_f"], deadline=time.monotonic()
        )

    return check


def test_links_that_lead_nowhere_and_pipes_do_no_harm(
    check: Callable[..., verify.Verified],
) -> None:
    def prepare(root: Path) -> None:
        (root / "loop").symlink_to("loop")
        (root / "gone").symlink_to("nowhere")
        os.mkfifo(root / "pipe")

    verified = check(prepare)
    assert verified.import_error is None
    assert not verified.failed


@pytest.mark.parametrize("end", ["while True: pass", "import os; os._exit(0)", "raise SystemExit"])
def test_a_conftest_that_hangs_or_ends_the_process_costs_no_more_than_the_time_left(
    check: Callable[..., verify.Verified], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(verify, "SHORTEST_TIMEOUT", 1.0)

    def prepare(root: Path) -> None:
        (root / "conftest.py").write_text(f"{end}\n")

    started = time.monotonic()
    verified = check(prepare)
    assert verified.import_error is not None or set(verified.failed) == {"test_f"}
    assert time.monotonic() - started < 10
