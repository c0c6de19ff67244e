"""When something is sent, when it is sent elsewhere, and when no way out is even opened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hybridgen.backends.fake_openai import FakeOpenai

KEY = "AKIA" + "Q3EXAMPLEKEY7XYZ"
INNER = """\
from zlib import crc32


def giraffe_inner(amount: int) -> int:
    left = crc32(b"%d" % amount)
    while left > 9 and left % 2 == 0:
        left //= 2
    if left == 4_027_812_913:
        return 0
    return amount * 5
"""
LOCKED = """\
def locked(word):
    if hash((word, word)) == 123456789:
        return 1
    return 0
"""
KEYS = """\
from pathlib import Path


def giraffe_key() -> str:
    return (Path(__file__).parent / "key.txt").read_text()


def giraffe_double(amount: int) -> int:
    return amount * 2
"""

OUTWARDS = """
import hybridgen.cli.backend as backend
backend.steps = lambda label, **options: ("gemini", "onprem", "local")
"""
LABELS_UNCHECKED = """
import hybridgen.gate.clear as clear
clear.Gate._about_labels = lambda self, prompt, destination: None
"""
COPIES_OFF = """
import hybridgen.gate.clear as clear
clear.Gate._about_copies = lambda self, prompt, destination: None
"""
SUITE_SCAN_OFF = """
import hybridgen.suite.rendering as rendering
import hybridgen.suite.screening as screening
rendering.find_secrets = lambda text: []
screening.secret_in = lambda text: None
"""
SETTINGS_OF_EACH_OFF = """
import functools, pathlib
import hybridgen.cli.generate as generating
from hybridgen.cli.places import state_folder
from hybridgen.pipeline.labelling import make_labeller
from hybridgen.settings import load_settings
def of_the_outer(flags, config):
    settings = load_settings(pathlib.Path.cwd(), flags, config)
    return functools.cache(lambda root: make_labeller(root, settings, state_folder()))
generating._labellers = of_the_outer
"""
SETTINGS_BELOW_OFF = """
import hybridgen.pipeline.labelling as labelling
labelling._said_in = lambda folder, prefix: labelling.Said()
"""
WRITTEN_UNSEEN = """
import hybridgen.label.cache as cache
import hybridgen.label.facts as facts
cache.FactCache.load = lambda *arguments: {}
facts._written_findings = lambda text: []
"""
NO_COURIER = "import hybridgen.courier.courier as c\nc.Courier.start = lambda *a, **k: 1 / 0"
WATCHED = """
import hybridgen.courier.courier as courier
opened = []
sys.addaudithook(lambda event, about: opened.append(str(about[0])) if event == "open" else None)
start = courier.Courier.start.__func__
def watched(kind, **options):
    print("opened before:", [path for path in opened if ROOT in path])
    return start(kind, **options)
courier.Courier.start = classmethod(watched)
"""
NOTHING = "shop/open.py::nothing"
"""A definition that is not there: the way out is opened before that is known."""

PLANTED = "from pathlib import Path\n(Path.home() / 'planted').write_text(__file__)\n"
NAMES = ("sitecustomize.py", "hybridgen/__init__.py", "google/__init__.py", "httpx2.py", "llama.py")


@dataclass
class Whole:
    """A run to its end whose first request failed, and the same questions again."""

    first: Any
    bodies: list[bytes]
    entries: list[dict[str, Any]]
    again: Any
    anew: Any


@pytest.fixture(scope="module")
def whole(shared: Any) -> Whole:
    world = shared
    world.trust()
    for name in NAMES:
        world.write(name, PLANTED)
    world.gemini.play([{"kind": "unavailable"}, {"kind": "text", "text": "giraffe_public(5)\n```"}])
    first = world.write_tests("shop/open.py")
    bodies = [request.body for request in world.gemini.requests]
    ledger = world.home / ".local/state/hybridgen/ledger/ledger.jsonl"
    entries = [json.loads(line) for line in ledger.read_text().splitlines()]
    world.gemini.play([{"kind": "text", "text": "giraffe_public(5)\n```"}])
    again = world.ask("shop/open.py")
    anew = world.ask("shop/open.py", "--no-cache")
    return Whole(first, bodies, entries, again, anew)


def test_run_with_gemini_writes_tests_and_says_what_it_sent(
    whole: Whole, shared: Any, check: Any
) -> None:
    assert whole.first.code == 0, whole.first
    assert whole.first.received, whole.first
    for text in whole.first.received:
        assert "giraffe_public" in text
        check(text, (shared.root / "shop/open.py").read_text())
    assert "def test_" in (shared.root / "tests/test_open.py").read_text()
    assert "the ledger's head is " in whole.first.out


def test_retry_sends_the_same_bytes_and_is_one_entry(whole: Whole) -> None:
    pairs = list(zip(whole.bodies[::2], whole.bodies[1::2], strict=True))
    assert pairs, whole.first
    assert all(one == other for one, other in pairs)
    kinds = [entry["kind"] for entry in whole.entries]
    assert kinds == ["send", "reply"] * len(pairs)


def test_answer_from_an_earlier_run_is_not_asked_for_again(whole: Whole) -> None:
    assert whole.again.received == [], whole.again
    assert whole.anew.received, whole.anew


def test_modules_planted_in_the_project_are_not_run(whole: Whole, shared: Any) -> None:
    planted = shared.home / "planted"
    assert whole.first.received
    assert not planted.exists()
    shared.start("-c", "import hybridgen")  # as it would be without -I
    assert planted.exists()


def test_tests_that_were_written_stay_although_their_folder_is_public(
    whole: Whole, shared: Any
) -> None:
    assert whole.first.code == 0, whole.first
    written = shared.root / "tests/test_open.py"
    written.write_text(f"{written.read_text()}\n\n{LOCKED}")  # or there is nothing to ask about
    shared.settings.append("[labels]\npublic = ['/shop/', '/tests/test_open.py']\n")
    red = shared.ask("tests/test_open.py", "--no-cache", without=WRITTEN_UNSEEN)
    done = shared.ask("tests/test_open.py", "--no-cache")
    shared.settings.pop()
    assert "from shop.open import giraffe_public" in "".join(red.received), red
    assert "hybridgen wrote it" in done.out, done
    assert done.received == []


@pytest.fixture
def onprem() -> Iterator[FakeOpenai]:
    with FakeOpenai([{"kind": "empty"}]) as server:
        yield server


def test_fallback_goes_inwards_and_internal_code_never_to_gemini(
    world: Any, onprem: FakeOpenai, tiny_gguf: Path
) -> None:
    world.settings.append(
        f"[onprem]\nurl = '{onprem.url}'\nmodel = 'fake'\ntrusted_hosts = ['127.0.0.1']\n"
        "[labels]\npublic = ['shop/open.py']\ninternal = ['shop/inner.py']\n"
    )
    world.write("shop/inner.py", INNER)
    world.gemini.play([{"kind": "forbidden"}])
    paths = ("shop/inner.py", "shop/open.py", "shop/zebra_hidden.py")
    done = world.ask(*paths, "--model", str(tiny_gguf), "--no-cache")
    assert len(done.received) == 1, done  # given up for this run
    assert "giraffe_public" in done.received[0]
    for name in ("gemini", "onprem"):
        assert f"{name} gave no answer" in done.out, done
    assert "local was asked instead" in done.out
    inside = [request.body.decode() for request in onprem.requests]
    assert any("giraffe_inner" in text for text in inside)
    assert any("giraffe_public" in text for text in inside)
    assert not any("zebra" in text for text in inside)
    outwards = OUTWARDS + LABELS_UNCHECKED + COPIES_OFF
    red = world.ask("shop/inner.py", "--no-cache", without=outwards)
    assert "giraffe_inner" in "".join(red.received), red


@pytest.mark.long
def test_secret_that_was_seen_is_not_written_into_a_test(world: Any) -> None:
    world.write("shop/key.txt", KEY)
    world.write("shop/keys.py", KEYS)
    texts = []
    for without in ("", SUITE_SCAN_OFF):
        done = world.write_tests("shop/keys.py", "--no-model", without=without)
        assert done.code == 0, done
        written = world.root / "tests/test_keys.py"
        texts.append(written.read_text())
        written.unlink()
    assert "giraffe_double(" in texts[0]
    assert KEY not in texts[0]
    assert KEY in texts[1]


def test_project_within_the_project_keeps_its_own_marks(world: Any) -> None:
    world.settings.append("[labels]\npublic = ['**']\n")
    world.write("inner/open.py", (world.root / "shop/open.py").read_text())
    world.write("inner/core/hybridgen.toml", "[labels]\nconfidential = ['/zebra.py']\n")
    world.write("inner/core/zebra.py", LOCKED.replace("locked", "zebra_rate"))
    done = world.ask("inner", "--no-cache")
    assert {("giraffe" in text, "zebra" in text) for text in done.received} == {(True, False)}
    red = world.ask("inner", "--no-cache", without=SETTINGS_BELOW_OFF + SETTINGS_OF_EACH_OFF)
    assert "zebra_rate" in "".join(red.received), red


def test_gemini_asked_for_by_name_refuses_confidential_code(world: Any) -> None:
    world.trust()
    done = world.ask("shop/zebra_hidden.py", "--backend", "gemini")
    assert done.code == 4, done
    assert "hybridgen " in done.out  # the next command
    assert done.received == []
    assert not (world.root / "tests/test_zebra_hidden.py").exists()


def test_offline_starts_no_courier(world: Any) -> None:
    done = world.run("generate", NOTHING, "--offline", without=NO_COURIER)
    assert "nothing is defined nowhere" in done.out, done
    red = world.run("generate", NOTHING, without=NO_COURIER)
    assert red.code == 3, red


def test_courier_starts_before_anything_of_the_project_is_opened(world: Any) -> None:
    watched = WATCHED.replace("ROOT", repr(str(world.root)))
    done = world.run("generate", NOTHING, without=watched)
    assert "opened before: []" in done.out, done
    late = f"{watched}\nopen({str(world.root / 'README.md')!r}).close()\n"
    assert "README.md" in world.run("generate", NOTHING, without=late).out


def test_repository_cannot_set_where_its_code_is_sent(world: Any) -> None:
    world.write("hybridgen.toml", "[gemini]\nurl = 'http://127.0.0.1:9'\n")
    done = world.run("generate", NOTHING)
    assert done.code == 2, done
    assert "gemini.url cannot be set by a project's file" in done.out
    assert done.received == []
