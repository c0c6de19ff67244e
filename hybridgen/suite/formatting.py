"""Runs the ``ruff`` program of hybridgen's own environment, without the project's settings."""

from __future__ import annotations

import importlib
import json
import subprocess

from hybridgen.errors import HybridgenError

_TIMEOUT = 60  # seconds; a test file takes milliseconds


def format_source(source: str, line_length: int, quote: str = '"') -> str:
    """``source`` as ``ruff format`` writes it, for Python 3.9 and newer.

    Args:
        source: a module.
        line_length: in characters.
        quote: ``"``, or ``'`` for a project that prefers it.

    Raises:
        HybridgenError: ruff is missing, or ``source`` is not valid Python.
    """
    style = "single" if quote == "'" else "double"
    arguments = [f"--line-length={line_length}", f'--config=format.quote-style="{style}"']
    return _ruff(["format", *arguments], source)


def sort_imports(source: str, first_party: str, line_length: int) -> str:
    """Sorts the import statements of ``source``; the package under test comes last.

    Raises:
        HybridgenError: ruff is missing, or ``source`` is not valid Python.
    """
    known = json.dumps([first_party])
    arguments = [
        "check",
        "--select=I",
        "--fix",
        "--quiet",
        f"--config=lint.isort.known-first-party={known}",
        f"--line-length={line_length}",
    ]
    return _ruff(arguments, source)


def _ruff(arguments: list[str], source: str) -> str:
    # ruff ships no types, and only the name of its program is needed.
    ruff = importlib.import_module("ruff")
    try:
        program = ruff.find_ruff_bin()
        done = subprocess.run(
            [
                program,
                *arguments,
                "--isolated",
                "--no-cache",
                "--target-version=py39",
                "--stdin-filename=test_rendered.py",
                "-",
            ],
            input=source.encode("utf-8", "surrogatepass"),
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HybridgenError(
            f"ruff, which formats the tests, cannot be run: {error}",
            "pip install --force-reinstall ruff",
        ) from error
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise HybridgenError(f"ruff refused a rendered test: {reason}")
    return done.stdout.decode("utf-8")
