"""How llama.cpp was built is asked in a child, which may crash."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hybridgen.engine.build import ask_build
from hybridgen.errors import EngineError


def test_installed_llama_says_what_it_was_built_with() -> None:
    import llama_cpp

    build = ask_build()
    said = llama_cpp.llama_print_system_info().decode()
    assert build.version == llama_cpp.__version__
    assert all(f"{name} = 1" in said for name in build.features)
    assert build.can_offload is bool(llama_cpp.llama_supports_gpu_offload())
    assert build.can_offload <= bool(build.card_kinds)


def test_llama_is_not_imported_here() -> None:
    code = (
        "import sys; from hybridgen.engine.build import ask_build; ask_build(); "
        "sys.exit('llama_cpp' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=root)


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("kill -ILL $$", "an instruction that this processor does not have"),
        ("kill -SEGV $$", "crashed with SIGSEGV"),
        ("echo 'no module named llama_cpp' >&2; exit 1", "no module named llama_cpp"),
        ("exit 3", "ended with status 3"),
    ],
)
def test_child_that_ends_badly_is_an_error_that_says_how(
    tmp_path: Path, ending: str, said: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nulimit -c 0\n{ending}\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(EngineError, match=said) as raised:
        ask_build(str(python))
    assert "--no-binary llama-cpp-python" in str(raised.value.hint)
