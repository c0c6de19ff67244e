from __future__ import annotations

import re
from pathlib import Path

import pytest

from hybridgen.lockdown.syscalls import ARCHITECTURES, NUMBERS

_HEADERS = {
    "x86_64": (
        "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
        "/usr/include/asm/unistd_64.h",
    ),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}


@pytest.mark.parametrize("name", _HEADERS)
def test_numbers_are_those_of_the_kernel_headers(name: str) -> None:
    header = next((path for path in map(Path, _HEADERS[name]) if path.exists()), None)
    if header is None:
        pytest.skip("the kernel's headers are not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    kernel = {call: int(number) for call, number in found}
    ours = {call: ARCHITECTURES[name].number(call) for call in NUMBERS}
    assert {call: ours[call] for call in kernel if ours.get(call) is not None} == {
        call: kernel[call] for call in kernel if ours.get(call) is not None
    }
    missing = {call for call, number in ours.items() if number is None and call in kernel}
    assert missing == set()
    assert len(set(ours) & set(kernel)) > 100


def test_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        ARCHITECTURES["aarch64"].number("sokcet")
