"""Files that a tool made of others in the same project: what is in them is known already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

_OUTPUT: Final = frozenset({"build", "dist", "site", "_build", "htmlcov"})
_REPORTS: Final = frozenset({"htmlcov", "_build"})
# MkDocs writes one of these into its ``site``; a folder of that name alone may be anything.
_SITE: Final = ("site/sitemap.xml", "site/search/search_index.json")
# A report quotes sources; code in such a folder may be somebody's own.
_WRITTEN: Final = frozenset({".css", ".doctree", ".html", ".inv", ".js", ".json", ".xml"})
_METADATA: Final = frozenset({"PKG-INFO", "SOURCES.txt"})


def is_derived(path: str, sha256: str, listed: Mapping[str, str]) -> bool:
    """Whether a file need not be known because it was made of files that are.

    Without this a public module is refused as a copy of what setuptools, coverage or Sphinx wrote
    about it. Only ask it about confidential files: they are never sent themselves.

    Args:
        path: the file in its project, with slashes.
        sha256: of its bytes.
        listed: the sha256 of every file of the project, by path.
    """
    parts = PurePosixPath(path).parts
    if _is_report(parts, listed):
        return True
    return any(listed.get(one) == sha256 for one in _origins(parts))


def _is_report(parts: tuple[str, ...], listed: Mapping[str, str]) -> bool:
    """Whether a tool wrote it: documentation, a coverage report, metadata of a package."""
    folders, name = parts[:-1], parts[-1]
    if folders and folders[-1].endswith(".egg-info") and name in _METADATA:
        return True
    is_site = folders[:1] == ("site",) and any(one in listed for one in _SITE)
    is_output = is_site or not _REPORTS.isdisjoint(folders)
    return is_output and PurePosixPath(name).suffix in _WRITTEN


def _origins(parts: tuple[str, ...]) -> Iterator[str]:
    """Where a copy in a folder for output may come from."""
    for place, folder in enumerate(parts[:-1]):
        if folder not in _OUTPUT and not folder.endswith(".egg-info"):
            continue
        before, after = parts[:place], parts[place + 1 :]
        # ``build/lib``, ``build/lib.linux-x86_64-cpython-311``, ``dist/shop-1.0``, ``_build/html``.
        for inner in (after, after[1:]):
            if inner:
                yield "/".join((*before, *inner))
                yield "/".join((*before, "src", *inner))
