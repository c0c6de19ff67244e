"""Attacks every process of hybridgen on this machine, and runs a whole run to see what arrives."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.errors import HybridgenError
from hybridgen.proof import attacker, cast
from hybridgen.proof.expected import PROCESSES, attacks_on, in_words

RUN: Final = "run"
"""In place of a process: a whole ``hybridgen generate``."""

_RUN_SECONDS: Final = 240.0
# Lets itself be traced by anybody of the same user, as processes do where Yama has no say.
_OUTSIDER: Final = (
    "import ctypes, time; ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1), 0, 0, 0);"
    "print(flush=True); time.sleep(3600)"
)
_START: Final = "import sys; from hybridgen.cli.main import main; main(sys.argv[1:])"
_PYPROJECT: Final = "[project]\nname = 'shop'\nversion = '1'\n"
_MARKED: Final = ("/shop/fees.py", "/shop/__init__.py")
# A branch that no search finds, so that a model is asked; and a call of confidential code.
_INTERNAL: Final = '''\
"""{sent}"""
from hashlib import sha256


def fee(amount: int) -> int:
    """{sent}"""
    if sha256(str(amount).encode()).hexdigest().startswith("00000"):
        return 0
    return amount * 3
'''
_CONFIDENTIAL: Final = '''\
"""{secret}"""
from shop.fees import fee


def rate(amount: int) -> int:
    """{secret}"""
    if fee(amount) == 596138:
        return {number}
    return amount + 1
'''


class Verdict(StrEnum):
    """What a row says."""

    HELD = "held"
    BROKEN = "BROKEN"
    NOT_PROVEN = "not proven"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the proof.

    Attributes:
        process: a key of :data:`hybridgen.proof.expected.PROCESSES`, or :data:`RUN`.
        attack: what was tried, in words.
        expected: what has to come of it.
        result: what came of it.
        control: what came of the same without the lock.
    """

    process: str
    attack: str
    expected: str
    result: str
    control: str

    @property
    def verdict(self) -> Verdict:
        """Held, only if the result is as expected and the control shows that it could fail."""
        if self.result == attacker.SUCCEEDED:
            return Verdict.BROKEN
        is_shown = self.control == attacker.SUCCEEDED
        return Verdict.HELD if self.result == self.expected and is_shown else Verdict.NOT_PROVEN


def prove(folder: Path) -> Iterator[Row]:
    """Every attack on every process, with its control, then a whole run.

    Args:
        folder: an empty one; what is attacked is made in it.
    """
    with surroundings(folder) as target:
        for process in PROCESSES:
            yield from _rows(process, target)
    rows = list(whole_run(folder / "run"))
    if any(row.verdict is Verdict.NOT_PROVEN for row in rows):  # a busy machine has no time left
        rows = list(whole_run(folder / "again"))
    yield from rows


def _rows(process: str, target: Mapping[str, Any]) -> Iterator[Row]:
    attacks = attacks_on(process)
    seen: list[Mapping[str, str]] = []
    for is_locked in (True, False):
        try:
            seen.append(cast.outcomes(process, target, attacks, is_locked=is_locked))
        except (HybridgenError, OSError, subprocess.SubprocessError) as error:
            text = error.message if isinstance(error, HybridgenError) else type(error).__name__
            seen.append(dict.fromkeys(attacks, f"not tried: {text}"))
    locked, unlocked = seen
    for name in attacks:
        yield Row(
            process,
            in_words(name),
            attacker.DENIED,
            locked.get(name, "not tried"),
            unlocked.get(name, "not tried"),
        )


@contextlib.contextmanager
def surroundings(folder: Path) -> Iterator[dict[str, Any]]:
    """What there is to attack: files, listeners, and another process of this user.

    Gives the attributes of a :class:`hybridgen.proof.attacker.Target`, and the folders that
    :func:`hybridgen.proof.cast.outcomes` wants.
    """
    places = {
        name: folder / name
        for name in ("project", "home", "beside", "models", "user", "scratch", "sockets")
    }
    for place in places.values():
        place.mkdir(mode=0o700)
    code, key = places["project"] / "secret.py", places["home"] / "key"
    (places["project"] / "pyproject.toml").write_text(_PYPROJECT)
    code.write_text("SECRET = 1\n")
    key.write_text("a key\n")
    (places["models"] / "model.gguf").write_bytes(b"GGUF" * 16)
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("127.0.0.1", 0))
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        # A path of a socket may have 107 bytes, and that of the folder may have more.
        name = f"{folder}/sockets/s"
        if len(os.fsencode(name)) > 100:
            name = f"\0hybridgen-proof-{secrets.token_hex(8)}"
        local.bind(name)
        local.listen()
        outsider = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _OUTSIDER],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            )
        )
        stack.callback(outsider.kill)
        assert outsider.stdout is not None
        outsider.stdout.readline()  # it can be traced from here on
        yield {
            **{name: str(places[name]) for name in ("beside", "models", "user", "scratch")},
            "port": ports[0].getsockname()[1],
            "other": ports[1].getsockname()[1],
            "udp": datagrams.getsockname()[1],
            "unix": name,
            "project": str(code),
            "home": str(key),
            "outsider": outsider.pid,
            "text": secrets.token_hex(16),
        }


def whole_run(
    folder: Path, internal: Sequence[str] = _MARKED, *, before: str = ""
) -> Iterator[Row]:
    """Tests for a project with an internal and a confidential file, by a server that listens.

    Args:
        internal: patterns of the files that the server may read; a test names one more.
        before: Python that a test runs first, to end the work on a module early.
    """
    sent, secret = f"giraffe-{secrets.token_hex(12)}", f"zebra-{secrets.token_hex(12)}"
    number = 10**12 + secrets.randbelow(10**12)
    files = {
        "pyproject.toml": _PYPROJECT,
        "shop/__init__.py": "",
        "shop/fees.py": _INTERNAL.format(sent=sent),
        "shop/rates.py": _CONFIDENTIAL.format(secret=secret, number=number),
    }
    for name, text in files.items():
        path = folder / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with FakeOpenai([{"kind": "text", "text": "fee(596138)\n"}]) as server:
        ended = _generate(folder, server.url, internal, before)
        received = b"\n".join(request.body for request in server.requests)
    control = attacker.SUCCEEDED if sent.encode() in received else f"nothing arrived ({ended})"
    for what, word in (("text", secret), ("number", str(number))):
        is_there = any(form in received for form in _forms(word))
        yield Row(
            RUN,
            f"Get a {what} of a confidential file to the server (control: of an internal one)",
            "absent",
            attacker.SUCCEEDED if is_there else "absent",
            control,
        )


def _generate(folder: Path, url: str, internal: Sequence[str], before: str) -> str:
    """Runs the command as its user would; how it ended, in a word."""
    settings = folder / "user" / ".config" / "hybridgen"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text(
        f"[labels]\ninternal = {list(internal)}\n"
        f"[onprem]\nurl = '{url}'\nmodel = 'fake'\ntrusted_hosts = ['127.0.0.1']\n"
    )
    command = [
        sys.executable,
        "-I",
        "-c",
        before + _START,
        "generate",
        "shop",
        "--diff",
        "--budget",
        "60",
    ]
    try:
        done = subprocess.run(
            command,
            cwd=folder / "project",
            env={"PATH": os.defpath, "HOME": str(folder / "user")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "it took too long"
    return f"exit code {done.returncode}"


def _forms(word: str) -> Iterator[bytes]:
    """A word as it is, and as it might hide."""
    raw = word.encode()
    yield from (raw, raw[::-1], raw.hex().encode(), raw.replace(b"-", b"_"))
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw).rstrip(b"=")
        yield whole[(0, 2, 3)[before] : len(whole) - ((before + len(raw)) % 3 != 0)]
