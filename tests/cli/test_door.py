"""The way out of a run: when there is one, with which key, and that it stays shut until told."""

from __future__ import annotations

import builtins
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hybridgen.backends.fake_gemini import FakeGemini
from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.cli import door as room
from hybridgen.cli.door import Door
from hybridgen.cli.places import state_folder
from hybridgen.courier import Courier
from hybridgen.domain import Destination, Fragment, Label, Prompt, Sent, SourceFile
from hybridgen.errors import GateRefusal, RemoteError, SettingsError
from hybridgen.gate import Ledger
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.settings import Settings

keyring = pytest.importorskip("keyring")

PUBLIC, INTERNAL, CONFIDENTIAL = Label
NAMES = [name for names in room.KEY_VARIABLES.values() for name in names]
CODE = "def half(n):\n    return n // 2\n"
SECRET = """\
def partner_price(partner, basket, season):
    base = sum(item.weight * partner.tariff[item.region] for item in basket)
    bonus = partner.turnover(season - 1) // 40_000 if partner.is_silent else 0
    for clause in sorted(partner.clauses, key=lambda one: one.signed_at):
        base = max(clause.floor, base - clause.kickback(bonus))
    return round(base * 0.8125, 2)
"""


@dataclass
class Drawer(keyring.backend.KeyringBackend):
    """A keyring in memory that knows what it was asked."""

    keys: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    is_locked: bool = False
    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append((service, username))
        if self.is_locked:
            raise keyring.errors.KeyringLocked("nobody unlocked it")
        return self.keys.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.keys[username] = password


@pytest.fixture
def drawer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drawer]:
    """The user's keyring, and an environment without keys."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(Drawer())
    yield keyring.get_keyring()
    keyring.set_keyring(before)


@pytest.fixture
def couriers(monkeypatch: pytest.MonkeyPatch) -> list[Courier]:
    """The couriers that are started, real ones."""
    started: list[Courier] = []
    original = Courier.start

    def start() -> Courier:
        started.append(original(pause=0.01))
        return started[-1]

    monkeypatch.setattr(Courier, "start", start)
    return started


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert state_folder() == tmp_path / "state" / "hybridgen"
    return state_folder()


@pytest.fixture
def open_door(
    drawer: Drawer, couriers: list[Courier], state: Path
) -> Iterator[Callable[..., Door]]:
    opened: list[Door] = []

    def make(**values: Any) -> Door:
        opened.append(Door(Settings(**values)))
        return opened[-1]

    yield make
    for door in opened:
        door.close()


@pytest.fixture(scope="module")
def gemini() -> Iterator[FakeGemini]:
    with FakeGemini(["2) == 1\n```"]) as server:
        yield server


@pytest.fixture(scope="module")
def onprem() -> Iterator[FakeOpenai]:
    with FakeOpenai(["2) == 1\n```"]) as server:
        yield server


def to_gemini(url: str = "http://127.0.0.1:9", **more: Any) -> dict[str, Any]:
    return {"gemini_terms": "paid", "gemini_url": url, **more}


def to_onprem(url: str = "http://127.0.0.1:9", **more: Any) -> dict[str, Any]:
    hosts = ("127.0.0.1",)
    return {
        "onprem_url": url,
        "onprem_model": "fake",
        "onprem_trusted_hosts": hosts,
        **more,
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "m.py").write_text(CODE)
    (folder / "margins.py").write_text(SECRET)
    return folder


def labeller_of(root: Path) -> Labeller:
    return Labeller(root, Rules((Mark("/m.py", PUBLIC, "config.toml", False),)))


def prompt_about(text: str = CODE) -> Prompt:
    file = SourceFile("m.py", sha256(CODE.encode()).hexdigest(), PUBLIC, ())
    code = Fragment(text, PUBLIC, "m.py", "marked", (file,))
    start = Fragment("half(", PUBLIC, "m.py", "marked", (file,))
    return Prompt((), (code,), (), start)


def ask(door: Door, settings: Settings, backend: str) -> str:
    made = door.backends(door.remotes(settings))[backend]()
    return made.complete(
        prompt_about(), max_tokens=20, temperature=0.0, seed=1, deadline=time.monotonic() + 60
    ).text


@pytest.mark.parametrize("place", ["GEMINI_API_KEY", "GOOGLE_API_KEY", "keyring"])
def test_the_key_is_taken_out_of_its_place_and_used(
    open_door, drawer, gemini, root, monkeypatch, place
) -> None:
    pytest.importorskip("google.genai")
    if place == "keyring":
        drawer.keys["gemini"] = " KEY-OF-THE-USER\n"
    else:
        monkeypatch.setenv(place, " KEY-OF-THE-USER ")
        drawer.keys["gemini"] = "ANOTHER-KEY"
    settings = Settings(**to_gemini(gemini.url))
    door = open_door(**to_gemini(gemini.url))
    assert not {name for name in NAMES if name in os.environ}
    door.prepare(labeller_of(root))
    gemini.play(["2) == 1\n```"])
    assert ask(door, settings, "gemini") == "half(2) == 1"
    assert gemini.requests[-1].headers["x-goog-api-key"] == "KEY-OF-THE-USER"
    assert drawer.asked == ([("hybridgen", "gemini")] if place == "keyring" else [])


def test_no_process_that_is_started_later_has_a_key(open_door, monkeypatch) -> None:
    for name in room.KEY_VARIABLES["gemini"]:
        monkeypatch.setenv(name, "KEY-OF-THE-USER")
    open_door(**to_gemini())
    child = subprocess.run(["env"], capture_output=True, text=True, check=True)
    assert "KEY-OF-THE-USER" not in child.stdout
    assert "PATH=" in child.stdout


@pytest.mark.parametrize("key", [None, "", " \n"])
def test_without_a_key_there_is_no_gemini_and_no_courier(
    open_door, drawer, couriers, monkeypatch, key
) -> None:
    if key is not None:
        monkeypatch.setenv("GEMINI_API_KEY", key)
        drawer.keys["gemini"] = key
    door = open_door(**to_gemini())
    remotes = door.remotes(Settings(**to_gemini()))
    assert remotes.gemini is None
    assert "no key was found" in remotes.why_not["gemini"]
    assert door.backends(remotes) == {}
    assert drawer.asked == [("hybridgen", "gemini")]
    assert couriers == []


def test_a_keyring_that_raises_has_no_key(open_door, drawer, couriers) -> None:
    drawer.keys["gemini"] = "KEY"
    drawer.is_locked = True
    door = open_door(**to_gemini())
    assert door.remotes(Settings(**to_gemini())).gemini is None
    assert (drawer.asked, couriers) == ([("hybridgen", "gemini")], [])


def test_a_keyring_that_is_not_installed_has_no_key(
    open_door, drawer, couriers, monkeypatch
) -> None:
    drawer.keys["gemini"] = "KEY"
    original = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "keyring":
            raise ModuleNotFoundError(name)
        return original(name, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", without)
        door = open_door(**to_gemini())
    assert door.remotes(Settings(**to_gemini())).gemini is None
    assert (drawer.asked, couriers) == ([], [])


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"gemini_terms": "unpaid"},
        to_gemini() | to_onprem() | {"offline": True},
        to_gemini() | to_onprem() | {"backend": "local"},
    ],
    ids=["nothing", "not acknowledged", "offline", "local"],
)
def test_where_nothing_may_be_sent_no_courier_starts_and_no_keyring_is_asked(
    open_door, drawer, couriers, values
) -> None:
    drawer.keys |= {"gemini": "KEY", "onprem": "KEY"}
    door = open_door(**values)
    assert (drawer.asked, couriers) == ([], [])
    assert door.backends(door.remotes(Settings(**values))) == {}


def test_a_server_in_the_building_needs_no_key_and_gets_the_one_there_is(
    open_door, drawer, onprem, root, couriers
) -> None:
    values = to_gemini() | to_onprem(onprem.url)  # no key for Gemini: it is not told of it
    settings = Settings(**values)
    for key, sent in ((None, False), ("KEY-OF-THE-HOUSE", True)):
        if key:
            drawer.keys["onprem"] = key
        door = open_door(**values)
        assert list(door.backends(door.remotes(settings))) == ["onprem"]
        door.prepare(labeller_of(root))
        onprem.play(["2) == 1\n```"])
        assert ask(door, settings, "onprem") == "half(2) == 1"
        assert ("KEY-OF-THE-HOUSE" in str(onprem.requests[-1].headers)) is sent
    assert len(couriers) == 2


@pytest.mark.parametrize(
    ("key", "values"),
    [("gemini.ca", to_gemini), ("onprem.ca", to_onprem)],
)
def test_certificates_that_cannot_be_read_are_an_error_that_names_key_and_file(
    open_door, drawer, couriers, tmp_path, key, values
) -> None:
    drawer.keys["gemini"] = "KEY"
    missing = tmp_path / "company.pem"
    with pytest.raises(SettingsError) as caught:
        open_door(**values(**{key.replace(".", "_"): missing}))
    assert key in caught.value.message
    assert str(missing) in caught.value.message
    assert "No such file" in caught.value.message
    assert couriers == []


def test_nothing_is_cleared_before_the_project_was_looked_at(open_door, onprem, state) -> None:
    settings = Settings(**to_onprem(onprem.url))
    door = open_door(**to_onprem(onprem.url))
    onprem.play(["2) == 1\n```"])
    with pytest.raises(GateRefusal, match="before the files of the project were looked at"):
        ask(door, settings, "onprem")
    assert onprem.requests == []
    assert (door.sent, door.head) == ((), None)
    assert not state.exists()


def test_stricter_files_are_known_once_it_is_prepared(open_door, onprem, root) -> None:
    door = open_door(**to_onprem(onprem.url))
    door.prepare(labeller_of(root))
    destination = door.remotes(Settings(**to_onprem(onprem.url))).onprem
    with pytest.raises(GateRefusal, match=r"has text of .*margins\.py"):
        door.clear(prompt_about(CODE + SECRET), destination)
    assert door.sent == ()


def test_a_project_is_looked_at_once_and_another_one_anew(
    open_door, root, tmp_path, monkeypatch
) -> None:
    looked: list[str] = []
    original = Labeller.walk

    def walk(labeller: Labeller) -> Iterator[SourceFile]:
        looked.append(labeller.root.name)
        yield from original(labeller)

    monkeypatch.setattr(Labeller, "walk", walk)
    other = tmp_path / "other"
    other.mkdir()
    (other / "m.py").write_text(CODE)
    door = open_door(**to_onprem())
    destination = door.remotes(Settings(**to_onprem())).onprem
    for folder in (root, root, other):
        door.prepare(labeller_of(folder))
    assert door.clear(prompt_about(), destination).size > 0
    assert looked == ["project", "other"]
    # What was confidential in the first project is known in the second one.
    with pytest.raises(GateRefusal, match=r"has text of .*project/margins\.py"):
        door.clear(prompt_about(CODE + SECRET), destination)
    (root / "n.py").write_text(CODE)
    door.prepare(labeller_of(other))
    file = SourceFile("n.py", sha256(CODE.encode()).hexdigest(), PUBLIC, ())
    code = Fragment(CODE, PUBLIC, "n.py", "marked", (file,))
    with pytest.raises(GateRefusal, match=r"n\.py"):  # it is of the first project
        door.clear(Prompt((), (code,), (), code), destination)


def test_what_was_sent_adds_up_by_destination_and_the_head_is_the_ledgers(
    open_door, onprem, root, state
) -> None:
    settings = Settings(**to_onprem(onprem.url))
    door = open_door(**to_onprem(onprem.url))
    door.prepare(labeller_of(root))
    assert (door.sent, door.head) == ((), None)
    where = door.remotes(settings).onprem
    elsewhere = Destination("onprem", "http://127.0.0.1:9", "x", "y", "onprem", INTERNAL)
    onprem.play(["2) == 1\n```"])
    ask(door, settings, "onprem")
    sizes = [door.clear(prompt_about(text), where).size for text in (CODE, CODE[:12])]
    size = door.clear(prompt_about(CODE[:12]), elsewhere).size
    assert sizes[1] < sizes[0]
    assert door.sent == (
        Sent(where, 3, 2 * sizes[0] + sizes[1], unanswered=2),
        Sent(elsewhere, 1, size, unanswered=1),
    )
    ledger = Ledger(state / "ledger")
    assert door.head == ledger.head() == list(ledger.entries())[-1].hash
    sent = [entry.details["size"] for entry in ledger.entries() if entry.kind == "send"]
    assert sum(sent) == sum(one.size for one in door.sent)


def test_what_never_left_is_not_called_sent(open_door, root, state) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = to_onprem(f"http://127.0.0.1:{free.getsockname()[1]}")
        door = open_door(**nobody)
        door.prepare(labeller_of(root))
        with pytest.raises(RemoteError, match="cannot be reached"):
            ask(door, Settings(**nobody), "onprem")
    assert (door.sent, door.head) == ((), None)
    left = [entry.details.get("left") for entry in Ledger(state / "ledger").entries()]
    assert left == [None, "no"]


def test_what_may_have_left_is_counted_as_unanswered(open_door, onprem, root, state) -> None:
    settings = Settings(**to_onprem(onprem.url))
    door = open_door(**to_onprem(onprem.url))
    door.prepare(labeller_of(root))
    onprem.play([{"kind": "blocked"}])
    with pytest.raises(RemoteError, match="held its answer back"):
        ask(door, settings, "onprem")
    [sent] = door.sent
    assert (sent.prompts, sent.unanswered) == (1, 1)
    assert door.head == Ledger(state / "ledger").head()


@pytest.mark.parametrize("sdk", ["google-genai", "google-generativeai"])
def test_without_its_library_there_is_no_gemini_and_no_courier(
    open_door, drawer, couriers, monkeypatch, tmp_path, sdk
) -> None:
    drawer.keys["gemini"] = "KEY"
    google = tmp_path / "installed" / "google"  # something of Google's, but not this
    (google / "cloud").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(google.parent)])
    door = open_door(**to_gemini(gemini_sdk=sdk))
    remotes = door.remotes(Settings(**to_gemini(gemini_sdk=sdk)))
    assert remotes.gemini is None
    assert f"{sdk} is not installed: pip install 'hybridgen[gemini]'" in remotes.why_not["gemini"]
    assert (drawer.asked, couriers) == ([], [])


def test_looking_for_the_library_runs_nothing(open_door, drawer, monkeypatch, tmp_path) -> None:
    drawer.keys["gemini"] = "KEY"
    google = tmp_path / "installed" / "google"
    google.mkdir(parents=True)
    (google / "__init__.py").write_text("raise SystemExit('this was run')\n")
    (google / "genai.py").write_text("raise SystemExit('this was run')\n")
    monkeypatch.setattr(sys, "path", [str(google.parent), *sys.path])
    for name in [name for name in sys.modules if name.partition(".")[0] == "google"]:
        monkeypatch.delitem(sys.modules, name)
    door = open_door(**to_gemini())
    assert door.remotes(Settings(**to_gemini())).gemini is not None


def test_a_refused_route_is_in_the_ledger_once_the_project_is_known(open_door, root, state) -> None:
    file = SourceFile("margins.py", sha256(SECRET.encode()).hexdigest(), CONFIDENTIAL, ())
    door = open_door(**to_onprem())
    door.refused((file,), "gemini")
    assert not state.exists()
    door.prepare(labeller_of(root))
    door.refused((file,), "gemini")
    (entry,) = Ledger(state / "ledger").entries()
    assert (entry.kind, entry.details["reason"]) == ("refusal", "route")


def test_a_run_that_sent_nothing_has_no_head_of_the_ledger(open_door, state, root) -> None:
    Ledger(state / "ledger").append("send", {"size": 1})  # an earlier run
    door = open_door(**to_onprem())
    door.prepare(labeller_of(root))
    assert (door.sent, door.head) == ((), None)


def test_closing_ends_the_courier_and_shuts_the_gate(open_door, couriers, onprem, root) -> None:
    door = open_door(**to_onprem(onprem.url))
    door.prepare(labeller_of(root))
    door.close()
    door.close()
    assert [courier.is_alive for courier in couriers] == [False]
    destination = door.remotes(Settings(**to_onprem(onprem.url))).onprem
    with pytest.raises(GateRefusal):
        door.clear(prompt_about(), destination)
