"""How the installed llama.cpp was built, asked in a child: to import it is slow and may crash."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybridgen.engine.process import child_environment
from hybridgen.errors import EngineError

_BOOTSTRAP: Final = (
    "import sys; root = sys.argv[1]; root in sys.path or sys.path.insert(0, root); "
    "from hybridgen.engine.build import main; main()"
)
_PATIENCE: Final = 60.0  # seconds; it takes one, on a slow disk a few
REBUILD: Final = (
    "build it for this machine: "
    "pip install --force-reinstall --no-cache-dir --no-binary llama-cpp-python llama-cpp-python"
)
"""What to do where the installed one does not fit the processor."""
REBUILD_FOR_CARD: Final = (
    'build it for the card: CMAKE_ARGS="-DGGML_CUDA=on" '
    "pip install --force-reinstall --no-cache-dir --no-binary llama-cpp-python llama-cpp-python "
    "(NVIDIA; -DGGML_HIP=on for AMD, -DGGML_VULKAN=on for any, -DGGML_METAL=on on a Mac)"
)
"""What to do where the installed one was built for no graphics card."""
_NO_CARDS: Final = ("base", "cpu", "blas", "rpc")
"""Parts of llama.cpp that are no driver of graphics cards."""


@dataclass(frozen=True, slots=True)
class Build:
    """What llama.cpp says of itself.

    Attributes:
        version: of llama-cpp-python.
        features: instructions of the processor that it was built to use, by llama.cpp's names.
        can_offload: whether it could compute on a graphics card: it has support and found one.
        card_kinds: what kinds of graphics cards it was built for, such as ``cuda``, where its
            files tell; a build in a single file does not.
    """

    version: str
    features: frozenset[str]
    can_offload: bool
    card_kinds: frozenset[str] = frozenset()


def ask_build(python: str = sys.executable) -> Build:
    """Imports llama.cpp in a child and asks it; no model is loaded.

    Args:
        python: the Python that runs hybridgen; another one for tests.

    Raises:
        EngineError: it cannot be imported, or crashes.
    """
    root = str(Path(__file__).resolve().parent.parent.parent)
    try:
        done = subprocess.run(
            [python, "-I", "-X", "utf8", "-c", _BOOTSTRAP, root],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            env=child_environment(),
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise EngineError("llama.cpp did not say how it was built in time", "try again") from error
    if done.returncode != 0:
        raise EngineError(f"llama.cpp cannot be loaded: {_ending(done)}", REBUILD)
    fields = json.loads(done.stdout.splitlines()[-1])
    return Build(
        version=str(fields["version"]),
        features=frozenset(map(str, fields["features"])),
        can_offload=bool(fields["can_offload"]),
        card_kinds=frozenset(map(str, fields["card_kinds"])),
    )


def card_kinds(libraries: Path) -> frozenset[str]:
    """The kinds of graphics cards that a folder of llama.cpp's libraries is for."""
    names = (path.name.partition(".")[0] for path in libraries.glob("*ggml-*"))
    kinds = {name.partition("ggml-")[2] for name in names}
    return frozenset(kind for kind in kinds if not kind.startswith(_NO_CARDS))


def _ending(done: subprocess.CompletedProcess[bytes]) -> str:
    """How the child ended, for people."""
    if done.returncode == -signal.SIGILL:
        return "it stopped at an instruction that this processor does not have"
    if done.returncode < 0:
        return f"it crashed with {signal.Signals(-done.returncode).name}"
    last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    return last[0][:300] if last else f"it ended with status {done.returncode}"


def main() -> None:
    """The child: one line of JSON on stdout."""
    import llama_cpp

    # "CPU : SSE3 = 1 | AVX = 1 | ... | REPACK = 1 | ": what was switched off is left out.
    said = llama_cpp.llama_print_system_info().decode("utf-8", "replace")
    pairs = (part.rpartition(":")[2].partition("=") for part in said.split("|"))
    found = {
        "version": llama_cpp.__version__,
        "features": sorted(name.strip() for name, _, value in pairs if value.strip() == "1"),
        "can_offload": bool(llama_cpp.llama_supports_gpu_offload()),
        "card_kinds": sorted(card_kinds(Path(llama_cpp.__file__).with_name("lib"))),
    }
    sys.stdout.write(json.dumps(found) + "\n")
