"""Fingerprints of idioms: they are in many packages, so that sharing them tells nothing.

``idioms.bin`` beside this module has them in ascending order, eight bytes each, the least first;
``bench/idioms.py`` makes it. Whoever changes what ``gate/winnow.py`` hashes makes it anew.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from hybridgen.gate.winnow import Some, are_among, some_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE_NAME: Final = "idioms.bin"


def are_idioms(hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of the fingerprints, before they get a key, are idioms."""
    return are_among(_idioms(), hashes)


@cache
def _idioms() -> Some:
    import numpy as np

    data = files("hybridgen.gate").joinpath(FILE_NAME).read_bytes()
    return some_of(np.frombuffer(data, "<u8").astype(np.uint64))
