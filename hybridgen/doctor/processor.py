"""The processor against what llama.cpp was built to need, and whether it could use a graphics card.

llama.cpp decides when it is compiled which instructions it uses; with one that is missing the
engine's process stops at the first question, without those for vectors it is many times slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hybridgen.domain.health import Finding, State
from hybridgen.engine.build import REBUILD, Build

_PROC: Final = Path("/proc")

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


def check_graphics(build: Build) -> Iterator[Finding]:
    """Whether it could use a graphics card; no setting asks for that, so it is never missing."""
    could = "could use a graphics card" if build.can_offload else "has no support for any"
    text = f"llama-cpp-python {could}; models run on the processor, no setting asks for more"
    yield Finding("graphics", State.OK, text, facts={"can_offload": build.can_offload})
