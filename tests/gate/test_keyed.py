"""SipHash-2-4, by the vectors of its authors."""

from __future__ import annotations

import numpy as np
import pytest

from hybridgen.gate.keyed import KEY_BYTES, keyed

KEY = bytes(range(16))


def test_hash_is_the_one_of_the_reference() -> None:
    """The authors' test vector for the input 00 01 ... 07 (https://github.com/veorq/SipHash)."""
    number = np.array([int.from_bytes(bytes(range(8)), "little")], np.uint64)
    assert keyed(number, KEY).astype("<u8").tobytes().hex() == "6224939a79f5f593"


def test_each_number_is_hashed_by_itself_and_the_input_stays() -> None:
    numbers = np.array([5, 0, 2**64 - 1, 5], np.uint64)
    found = keyed(numbers, KEY).tolist()
    assert found[0] == found[3]
    assert len(set(found)) == 3
    assert found == [keyed(np.array([n], np.uint64), KEY)[0] for n in numbers.tolist()]
    assert numbers.tolist() == [5, 0, 2**64 - 1, 5]


def test_another_key_gives_other_hashes() -> None:
    numbers = np.arange(100, dtype=np.uint64)
    other = keyed(numbers, bytes(16))
    assert not set(keyed(numbers, KEY).tolist()) & set(other.tolist())


def test_no_numbers_give_no_hashes() -> None:
    assert keyed(np.array([], np.uint64), KEY).tolist() == []


def test_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        keyed(np.array([1], np.uint64), KEY[:-1])
    assert KEY_BYTES == 16
