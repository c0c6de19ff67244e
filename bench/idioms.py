"""Makes ``hybridgen/gate/idioms.bin``: fingerprints that tell nothing, being in many packages.

    python bench/idioms.py [--least 3]

Counted are the packages of the standard library and of site-packages of this interpreter, each
once however many files it has; a file that equals one of another package counts for the first
only, and what one package bundles of others is left out.
"""

from __future__ import annotations

import argparse
import hashlib
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import hybridgen
from hybridgen.gate.idioms import FILE_NAME
from hybridgen.gate.winnow import are_shapes, fingerprints

BUNDLED = {"_vendor", "vendor", "vendored", "_vendored", "ensurepip", "site-packages"}
OURS = {"hybridgen"}
MOST_BYTES = 300_000


def main() -> None:
    """Writes the file and says how large it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--least", type=int, default=3, help="in how many packages an idiom is")
    least = parser.parse_args().least
    seen: set[bytes] = set()
    found: list[NDArray[np.uint64]] = []
    for folder in dict.fromkeys(sysconfig.get_path(name) for name in ("stdlib", "purelib")):
        for package in sorted(Path(folder).iterdir()):
            grams = [every_gram(text) for text in texts_of(package, seen)]
            found += [np.unique(np.concatenate(grams))] if grams else []
    distinct, packages = np.unique(np.concatenate(found), return_counts=True)
    usual = np.flatnonzero(packages >= least)
    usual = usual[np.argsort(-packages[usual], kind="stable")][: MOST_BYTES // 8]
    idioms = np.sort(distinct[usual])
    place = Path(hybridgen.__file__).parent / "gate" / FILE_NAME
    place.write_bytes(idioms.astype("<u8").tobytes())
    shapes = int(are_shapes(idioms).sum())
    print(f"{len(found)} packages, {len(distinct)} k-grams; {len(idioms)} idioms, {shapes} shapes")


def every_gram(text: str) -> NDArray[np.uint64]:
    """The fingerprints that some part of a file may have."""
    return fingerprints(text, is_file=True, is_every=True)[0]


def texts_of(package: Path, seen: set[bytes]) -> Iterator[str]:
    """The texts of the Python files of a package that were not seen before."""
    if package.name in OURS | BUNDLED:
        return
    for path in [package] if package.is_file() else sorted(package.rglob("*.py")):
        inner = path.relative_to(package.parent).parts
        if path.suffix != ".py" or not BUNDLED.isdisjoint(inner):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        digest = hashlib.sha256(text.encode()).digest()
        if digest not in seen:
            seen.add(digest)
            yield text


if __name__ == "__main__":
    main()
