"""The processor against what llama.cpp was built to need, and the graphics card if one is to work.

llama.cpp decides when it is compiled which instructions it uses; with one that is missing the
engine's process stops at the first question, without those for vectors it is many times slower.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybridgen.domain.health import Fact, Finding, State
from hybridgen.engine.build import REBUILD, REBUILD_FOR_CARD, Build
from hybridgen.lockdown.cards import cards

_PROC: Final = Path("/proc")
_ROOT: Final = Path("/")

# llama.cpp's names -> those of /proc/cpuinfo, x86 and Arm; what is not listed is no instruction.
_NAMES: Final = {
    **{"SSE3": "pni", "SSSE3": "ssse3", "AVX": "avx", "AVX2": "avx2", "FMA": "fma"},
    **{"F16C": "f16c", "BMI2": "bmi2", "AVX_VNNI": "avx_vnni", "AVX512": "avx512f"},
    **{"AVX512_VBMI": "avx512vbmi", "AVX512_VNNI": "avx512_vnni", "AVX512_BF16": "avx512_bf16"},
    **{"AMX_INT8": "amx_int8", "NEON": "asimd", "ARM_FMA": "asimd", "FP16_VA": "asimdhp"},
    **{"MATMUL_INT8": "i8mm", "SVE": "sve", "DOTPROD": "asimddp", "SME": "sme"},
}
_VECTORS: Final = {"x86_64": "AVX2", "aarch64": "NEON"}


def cpu_flags(proc: Path = _PROC) -> frozenset[str]:
    """What the kernel says that the processor can, in small letters; empty where it does not."""
    try:
        text = (proc / "cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def check_processor(build: Build, flags: frozenset[str], architecture: str) -> Iterator[Finding]:
    """Whether the processor has what the build needs, and the build what makes it fast."""
    wanted = sorted(name for name in build.features if name in _NAMES)
    missing = [name for name in wanted if _NAMES[name] not in flags] if flags else []
    vectors = _VECTORS.get(architecture)
    has_vectors = vectors is None or _NAMES[vectors] in flags
    facts = {"llama_cpp_python": build.version, "built_for": " ".join(wanted)}
    what = f"llama-cpp-python {build.version}"
    if missing:
        text = f"{what} was built for {', '.join(missing)}, which this processor does not have"
        yield Finding("processor", State.WRONG, text, REBUILD, facts=facts)
    elif not flags:
        text = f"{what}; this system does not say what the processor can"
        yield Finding("processor", State.SKIPPED, text, facts=facts)
    elif not has_vectors:
        text = f"{architecture} without {vectors}: a model will be slow"
        fix = "take the smallest: hybridgen models pull qwen2.5-coder-0.5b, or: --no-model"
        yield Finding("processor", State.WARNING, text, fix, facts=facts)
    elif vectors is not None and vectors not in build.features:
        text = f"{what} does not use {vectors}, which this processor has: a model will be slow"
        yield Finding("processor", State.WARNING, text, REBUILD, facts=facts)
    else:
        text = f"{what}; the processor has all that it was built for"
        yield Finding("processor", State.OK, text, facts=facts)


def check_graphics(
    build: Build, layers: int, place: str, *, system: str = sys.platform, root: Path = _ROOT
) -> Iterator[Finding]:
    """Whether there is a graphics card that the model can run on, where one is asked for.

    Args:
        layers: the setting ``gpu_layers``.
        place: where that was set.
        system: whose cards have device files, if it is ``linux``.
        root: where ``dev`` lies; another one for tests.
    """
    facts: dict[str, Fact] = {
        "gpu_layers": layers,
        "can_offload": build.can_offload,
        "built_for": " ".join(sorted(build.card_kinds)),
    }
    what = f"llama-cpp-python {build.version}"
    if layers == 0:
        could = "could use a graphics card" if build.can_offload else "uses no graphics card"
        text = f"{what} {could}; none is asked for (gpu_layers = 0)"
        yield Finding("graphics", State.OK, text, facts=facts)
        return
    asked = f"gpu_layers = {layers} ({place})"
    problem = _card_problem(build, system, root)
    if problem is None:
        text = f"{asked}: {what} finds a graphics card; a run says so if the locks keep it away"
        yield Finding("graphics", State.OK, text, facts=facts)
    else:
        text = f"{asked}, but {problem.text}: the model runs on the processor"
        fix = f"{problem.fix}; to do without: gpu_layers = 0"
        yield Finding("graphics", State.WRONG, text, fix, facts=facts)


@dataclass(frozen=True, slots=True)
class _Problem:
    text: str
    fix: str


def _card_problem(build: Build, system: str, root: Path) -> _Problem | None:
    """Why the model cannot run on a graphics card, or None."""
    if not build.can_offload and not build.card_kinds:
        text = f"llama-cpp-python {build.version} was built without support for one"
        return _Problem(text, REBUILD_FOR_CARD)
    if system == "linux":
        if not cards(root):
            text = "there is no device file of one (/dev/nvidia0, /dev/dri/renderD128)"
            fix = "install the card's driver; a container needs the card passed in (--gpus all)"
            return _Problem(text, fix)
        if not any(os.access(card, os.R_OK | os.W_OK) for card in cards(root)):
            text = f"{cards(root)[0]} may not be opened"
            return _Problem(text, 'join its group: sudo usermod -aG render,video "$USER"')
    if not build.can_offload:
        text = f"llama.cpp, built for {', '.join(sorted(build.card_kinds))}, finds none"
        return _Problem(text, "see if its driver works: nvidia-smi, rocminfo or vulkaninfo")
    return None
