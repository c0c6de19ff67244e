"""Finds the manifests and ready-made settings that ship with hybridgen."""

from __future__ import annotations

from pathlib import Path


def resource_folder(name: str) -> Path:
    """The folder ``models`` or ``configs``: inside the installed package, else beside it.

    A wheel carries both under ``hybridgen/_data``; in an editable checkout they are the
    repository's own top-level folders.
    """
    package = Path(__file__).parent
    installed = package / "_data" / name
    return installed if installed.is_dir() else package.parent / name
