"""A keyed hash of many numbers at once: SipHash-2-4 of each number's eight bytes.

SipHash is a pseudorandom function with a key of 128 bits (Aumasson and Bernstein, "SipHash: a fast
short-input PRF", 2012): without the key nobody can tell whether a text is among the hashes. One
call of a keyed BLAKE2b for each number took more time than all the rest of indexing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

KEY_BYTES: Final = 16

_START: Final = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
_LENGTH_BLOCK: Final = 8 << 56


def keyed(numbers: Hashes, key: bytes) -> Hashes:
    """The keyed hash of each number.

    Args:
        numbers: any.
        key: secret, of ``KEY_BYTES``.
    """
    import numpy as np

    if len(key) != KEY_BYTES:
        raise ValueError("a key of another length")
    halves = (int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little"))
    state = [np.full_like(numbers, _START[i] ^ halves[i % 2]) for i in range(4)]
    for block in (numbers, np.uint64(_LENGTH_BLOCK)):
        state[3] ^= block
        _rounds(state, 2)
        state[0] ^= block
    state[2] ^= np.uint64(0xFF)
    _rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _rounds(state: list[Hashes], count: int) -> None:
    """SipRound, in place."""
    for _ in range(count):
        for first, second, turn in ((0, 1, 13), (2, 3, 16)):
            _mix(state, first, second, turn)
        state[0] = _turned(state[0], 32)
        for first, second, turn in ((0, 3, 21), (2, 1, 17)):
            _mix(state, first, second, turn)
        state[2] = _turned(state[2], 32)


def _mix(state: list[Hashes], first: int, second: int, turn: int) -> None:
    state[first] += state[second]
    state[second] = _turned(state[second], turn)
    state[second] ^= state[first]


def _turned(numbers: Hashes, bits: int) -> Hashes:
    import numpy as np

    return (numbers << np.uint64(bits)) | (numbers >> np.uint64(64 - bits))
