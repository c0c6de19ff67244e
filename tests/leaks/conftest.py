"""Whole runs of the real command against a server that keeps what it received."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

import hybridgen.prompt
from hybridgen.backends.fake_gemini import FakeGemini

CANARY = "zebra-4711-canary"
"""In every file of the project that is not public, and nowhere else."""

TABLE = "zebra-8080-table"
"""In a confidential data file that public code reads when it runs."""

PUBLIC_MARK = "giraffe_public"
"""A name in the public module: what has to arrive where anything is sent."""

ANSWER = [{"kind": "text", "text": "giraffe_public(5)\ngiraffe_public(8)\n```"}]

OPEN = """\
# hybridgen: public
from hashlib import sha256


def giraffe_public(amount: int) -> int:
    if sha256(str(amount).encode()).hexdigest().startswith("00000"):
        return 0
    if sha256(str(amount).encode()).hexdigest().endswith("0000000"):
        return 1  # no number in the project comes here
    return amount * 3
"""
READS = """\
# hybridgen: public
from pathlib import Path


def giraffe_table() -> str:
    try:
        return (Path(__file__).parent / "table.txt").read_text()
    except OSError:
        return "giraffe"


def giraffe_reads(amount: int) -> int:
    table = giraffe_table()
    if len(table) > 9:
        raise ValueError(table)
    return amount
"""
HIDDEN = f'''\
"""Prices that nobody outside may know: {CANARY}."""

from hashlib import sha256

ZEBRA_RATE = 17


def zebra_price(amount: int) -> int:
    """{CANARY} decides."""
    if sha256(str(amount).encode()).hexdigest().startswith("00000"):
        return 0
    if amount > 4711:
        return amount * ZEBRA_RATE
    return amount
'''
FILES = {
    "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n"
    "[tool.pytest.ini_options]\npythonpath = ['.']\n",
    "shop/__init__.py": "# hybridgen: public\n",
    "shop/open.py": OPEN,
    "shop/reads.py": READS,
    "shop/table.txt": TABLE,
    "shop/zebra_hidden.py": HIDDEN,
    "shop/caller.py": f"from shop.open import giraffe_public\n\n\ndef use():\n"
    f'    return giraffe_public(596138), "{CANARY}"\n',
    "tests/test_zebra_existing.py": "from shop.open import giraffe_public\n\n\n"
    f"def test_zebra_{CANARY.replace('-', '_')}():\n"
    f'    assert giraffe_public(4711) == 14133, "{CANARY}"\n',
    "README.md": f"# Shop {CANARY}\n\n```python\ngiraffe_public(596138)\n```\n",
}
MODULES = ("open", "reads", "late")
"""The public modules of the folder ``shop``."""

START = """\
import sys

{without}
from hybridgen.cli.main import main

main(sys.argv[1:])
"""
BRIEF = """
import hybridgen.explore.search as search
search.OPEN_PLATEAU = 0.2
"""
"""Ends a search early that will never reach all of a module."""

QUICK = (
    BRIEF
    + """
import hybridgen.pipeline.unit as unit
from hybridgen.errors import RunnerError
def enough(*arguments):
    raise RunnerError("all was asked")
search.Search.simplify = lambda *arguments: None
unit.Writer.rehearse = lambda writer: None
unit.Writer.confirm = enough
"""
)
"""Ends the work on a module where nothing more can be sent: after the last question."""


@dataclass
class Run:
    """What came of one command."""

    code: int
    out: str
    received: list[str]

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out}\nreceived: {self.received}"


@dataclass
class World:
    """A project, a user, and Gemini as the user's settings name it."""

    root: Path
    home: Path
    gemini: FakeGemini
    settings: list[str] = field(default_factory=list)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def ask(self, *paths: str, without: str = "") -> Run:
        """Runs ``hybridgen generate`` up to the last question of each module."""
        return self.run("generate", *paths, without=QUICK + without)

    def write_tests(self, *arguments: str, without: str = "") -> Run:
        """Runs ``hybridgen generate`` to its end."""
        return self.run("generate", *arguments, without=BRIEF + without)

    def run(self, *arguments: str, without: str = "", budget: float = 120.0) -> Run:
        """Runs ``hybridgen``; ``without`` is Python that takes a check away first."""
        return self.start("-I", "-c", START.format(without=without), *arguments, budget=budget)

    def start(self, *python: str, budget: float = 120.0) -> Run:
        """Runs Python in the project's folder."""
        folder = self.home / ".config" / "hybridgen"
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["[gemini]", "terms = 'paid'", f"url = '{self.gemini.url}'"]
        (folder / "config.toml").write_text("\n".join([*self.settings, *lines]) + "\n")
        kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        before = len(self.gemini.requests)
        more = ["--budget", str(budget)] if "generate" in python else []
        done = subprocess.run(
            [sys.executable, *python, *more],
            cwd=self.root,
            env={**kept, "HOME": str(self.home), "GEMINI_API_KEY": "a-key"},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        received = [_texts(request.body) for request in self.gemini.requests[before:]]
        return Run(done.returncode, done.stdout + done.stderr, received)

    def trust(self) -> None:
        done = self.run("trust", "--yes")
        assert done.code == 0, done


def _texts(body: bytes) -> str:
    """All texts in a request, one after the other."""
    request = json.loads(body)
    turns = [request.get("systemInstruction", {"parts": []}), *request["contents"]]
    return "\n".join(part["text"] for turn in turns for part in turn["parts"])


@contextmanager
def new_world(folder: Path) -> Iterator[World]:
    home = folder / "home"
    home.mkdir()
    with FakeGemini(ANSWER) as gemini:
        world = World(folder / "project", home, gemini)
        for name, text in FILES.items():
            world.write(name, text)
        yield world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world of its own for one test."""
    with new_world(tmp_path) as world:
        yield world


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all tests of a module: runs are dear."""
    with new_world(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture(scope="session")
def encoded() -> Callable[[str], list[str]]:
    """See :func:`forms`."""
    return forms


@pytest.fixture(scope="module")
def check() -> Callable[..., None]:
    """Whether nothing but public text was received, by unique strings and by provenance."""

    def check(received: str, *public: str) -> None:
        for canary in (CANARY, TABLE):
            for form in forms(canary):
                assert form not in received
        assert "zebra" not in received.lower()  # names of files and functions too
        names = re.findall(r"^def (\w+)", "\n".join(public), re.MULTILINE)
        imports = [f"from shop.{module} import {name}" for name in names for module in MODULES]
        answers = [step["text"] for step in ANSWER]
        assert strangers(received, [*public, *imports, *answers]) == []

    return check


def forms(text: str) -> list[str]:
    """``text`` as it is and in the encodings in which it could hide."""
    raw = text.encode()
    return [
        text,
        text.replace("-", "_"),
        text[::-1],
        quote(text, safe=""),
        raw.hex(),
        *(_within_base64(raw, before) for before in range(3)),
        repr(list(raw))[1:-1],
    ]


def _within_base64(raw: bytes, before: int) -> str:
    """What of ``raw`` is seen in the base64 form of a longer text, so many bytes into it."""
    whole = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
    return whole[(0, 2, 3)[before] : len(whole) - ((before + len(raw)) % 3 != 0)]


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def strangers(received: str, public: list[str]) -> list[str]:
    """Runs of eight words (or of a whole line, if it is shorter) that no public text has.

    Our own templates are public; what they leave open is a name from public text.
    """
    folder = Path(hybridgen.prompt.__file__).parent / "templates"
    names = {name for text in public for name in re.findall(r"[\w.]+", text)}
    names |= {line for text in public for line in text.splitlines()}  # a call, as it stands there
    joined = [f" {' '.join(words_of(text))} " for text in public]
    templates = [path.read_text() for path in sorted(folder.glob("*.jinja"))]
    lines = [_pattern(line, names) for text in templates for line in text.splitlines()]
    found = []
    for line in received.splitlines():
        if any(pattern.fullmatch(line) for pattern in lines):
            continue
        words = words_of(line)
        size = min(8, len(words))
        grams = (" ".join(words[at : at + size]) for at in range(len(words) - size + 1))
        found += [g for g in grams if g and not any(f" {g} " in text for text in joined)]
    return found


def _pattern(line: str, names: set[str]) -> re.Pattern[str]:
    """A line of a template, with any public name where it leaves one open."""
    parts = [re.escape(part) for part in re.split(r"\{\{.*?\}\}", line)]
    return re.compile(f"(?:{'|'.join(map(re.escape, sorted(names)))})".join(parts))
