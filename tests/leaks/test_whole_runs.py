"""What a server received after whole runs on a project that is public in part only.

Each case also shows that it could fail: where something has to be sent it was received, with a
name that only the public module has; and without the answer to its threat it is red.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CANARY = "zebra-4711-canary"
PUBLIC_MARK = "giraffe_public"

LABELS_OFF = """
from hybridgen.domain import Label
import hybridgen.label.labeller as labeller
from dataclasses import replace
_file = labeller.Labeller.file
labeller.Labeller.file = lambda self, path, data: replace(_file(self, path, data), label=Label(0))
_walk = labeller.Labeller.walk
labeller.Labeller.walk = lambda self: (replace(f, label=Label(0)) for f in _walk(self))
"""
COPIES_OFF = """
import hybridgen.gate.clear as clear
clear.Gate._about_copies = lambda self, prompt, destination: None
"""


@pytest.fixture
def check(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Whether nothing but public text was received, by provenance and by unique strings."""
    conftest: Any = _conftest(request)

    def check(received: str, *public: str) -> None:
        for form in conftest.forms(CANARY):
            assert form not in received
        assert "zebra" not in received.lower()  # names of files and functions too
        known = [*public, conftest.OPEN, "from shop.open import giraffe_public"]
        assert conftest.strangers(received, known) == []

    return check


def _conftest(request: pytest.FixtureRequest) -> Any:
    name = str(Path(__file__).with_name("conftest.py"))
    found = [p for p in request.config.pluginmanager.get_plugins() if _file_of(p) == name]
    return found[0]


def _file_of(plugin: Any) -> str | None:
    return getattr(plugin, "__file__", None)


def test_mixed_project_sends_public_text_and_nothing_else(world: Any, check: Any) -> None:
    world.trust()
    done = world.run("generate", "shop/open.py")
    assert done.code == 0, done
    assert done.received, done
    for text in done.received:
        assert PUBLIC_MARK in text
        check(text)
    again = world.run("generate", "shop/zebra_hidden.py")
    assert again.code == 0, again
    assert again.received == []


def test_without_labels_the_confidential_module_would_have_been_sent(
    world: Any, check: Any
) -> None:
    world.trust()
    done = world.run("generate", "shop/zebra_hidden.py", without=LABELS_OFF)
    assert done.received, done
    with pytest.raises(AssertionError):
        check(done.received[0])


def test_marks_count_only_after_trust_and_for_the_files_that_were_trusted(
    world: Any, check: Any
) -> None:
    done = world.run("generate", "shop/open.py", budget=10.0)
    assert done.received == [], done
    world.trust()
    late = world.write("shop/late.py", world_text(world, "late_giraffe"))
    done = world.run("generate", "shop/late.py", budget=10.0)
    assert done.received == [], done
    world.trust()
    done = world.run("generate", "shop/late.py")
    assert done.received, done
    assert "late_giraffe" in done.received[0]
    check(done.received[0], late.read_text(), "from shop.late import late_giraffe")


def world_text(world: Any, name: str) -> str:
    text: str = (world.root / "shop/open.py").read_text()
    return text.replace(PUBLIC_MARK, name)


@pytest.mark.parametrize("make", [os.symlink, os.link], ids=["symlink", "hard link"])
def test_link_to_a_confidential_file_under_a_public_mark_is_not_sent(
    world: Any, make: Callable[[Path, Path], None]
) -> None:
    world.settings.append("[labels]\npublic = ['shop/linked.py', 'shop/open.py']\n")
    make(world.root / "shop/zebra_hidden.py", world.root / "shop/linked.py")
    done = world.run("generate", "shop/linked.py", budget=10.0)
    assert done.received == [], done
    (world.root / "shop/linked.py").unlink()
    world.write("shop/linked.py", world_text(world, PUBLIC_MARK))
    done = world.run("generate", "shop/linked.py")
    assert done.received, done


def test_code_that_was_moved_into_a_public_file_is_refused_even_if_the_old_one_is_gone(
    world: Any,
) -> None:
    world.trust()
    world.run("generate", "shop/zebra_hidden.py", "--no-model", budget=10.0)
    hidden = world.root / "shop/zebra_hidden.py"
    moved = hidden.read_text().partition("ZEBRA_RATE")[2]
    hidden.unlink()
    world.write("shop/moved.py", f"# hybridgen: public\nZEBRA_RATE{moved}")
    world.trust()
    done = world.run("generate", "shop/moved.py", budget=30.0)
    assert done.received == [], done
    assert done.code == 4, done
    assert "shop/moved.py" in done.out
    assert "shop/zebra_hidden.py" in done.out
    assert not (world.root / "tests/test_moved.py").exists()
    red = world.run("generate", "shop/moved.py", without=COPIES_OFF, budget=30.0)
    assert red.received, red
    assert "ZEBRA_RATE" in red.received[0]


def test_secret_in_public_code_is_refused_and_never_shown(world: Any) -> None:
    world.trust()
    key = "AKIA" + "Q3EXAMPLEKEY7XYZ"
    path = world.root / "shop/open.py"
    path.write_text(path.read_text().replace("return 0", f'return len("{key}")'))
    done = world.run("generate", "shop/open.py", budget=30.0)
    assert done.received == [], done
    assert done.code == 4, done
    assert key not in done.out
    ledger = (world.home / ".local/state/hybridgen/ledger/ledger.jsonl").read_text()
    assert key not in ledger
    assert '"refusal"' in ledger
    off = "import hybridgen.gate.clear as clear\nclear._about_secrets = lambda prompt: None"
    red = world.run("generate", "shop/open.py", without=off, budget=30.0)
    assert key in "".join(red.received), red


def test_failing_gemini_hands_on_to_this_machine_and_says_so(world: Any, tiny_gguf: Path) -> None:
    world.trust()
    world.gemini.play([{"kind": "forbidden"}])
    done = world.run("generate", "shop/open.py", "--model", str(tiny_gguf), "--no-cache")
    assert done.code == 0, done
    assert len(done.received) == 1  # given up for this run
    assert "gemini gave no answer" in done.out
    assert "local was asked instead" in done.out


def test_gemini_asked_for_by_name_refuses_confidential_code(world: Any) -> None:
    world.trust()
    done = world.run("generate", "shop/zebra_hidden.py", "--backend", "gemini", budget=10.0)
    assert done.code == 4, done
    assert done.received == []
    assert not (world.root / "tests/test_zebra_hidden.py").exists()


def test_offline_starts_no_courier(world: Any) -> None:
    world.trust()
    off = "import hybridgen.courier.courier as c\nc.Courier.start = lambda *a, **k: 1 / 0"
    done = world.run("generate", "shop/open.py", "--offline", without=off, budget=10.0)
    assert done.code in (0, 1), done
    assert done.received == []
    red = world.run("generate", "shop/open.py", without=off, budget=10.0)
    assert red.code == 3, red


def test_answer_from_an_earlier_run_is_not_asked_for_again(world: Any) -> None:
    world.trust()
    first = world.run("generate", "shop/open.py", "--diff")
    assert first.received, first
    again = world.run("generate", "shop/open.py", "--diff")
    assert again.code == 0, again
    assert again.received == [], again


def test_what_runs_show_of_a_confidential_file_stays_here(world: Any, check: Any) -> None:
    world.trust()
    world.write(
        "shop/needs.py",
        "# hybridgen: public\nfrom shop.zebra_hidden import zebra_price as price\n\n\n"
        "def giraffe_needs(amount: int) -> int:\n"
        "    if price(amount) == 987654321987:\n"
        "        return 0\n"
        "    return amount\n",
    )
    world.trust()
    done = world.run("generate", "shop/needs.py", budget=30.0)
    assert done.received == [], done
    assert "does not run with public files alone" in done.out


WATCHED = """
import sys
import hybridgen.courier.courier as courier
opened = []
sys.addaudithook(lambda event, about: opened.append(str(about[0])) if event == "open" else None)
start = courier.Courier.start.__func__
def watched(kind, **options):
    print("opened before:", [path for path in opened if ROOT in path])
    return start(kind, **options)
courier.Courier.start = classmethod(watched)
"""


def test_courier_starts_before_anything_of_the_project_is_opened(world: Any) -> None:
    world.trust()
    watched = WATCHED.replace("ROOT", repr(str(world.root)))
    done = world.run("generate", "shop/open.py", without=watched, budget=10.0)
    assert "opened before: []" in done.out, done


def test_repository_cannot_set_where_its_code_is_sent(world: Any) -> None:
    world.write("hybridgen.toml", "[gemini]\nurl = 'http://127.0.0.1:9'\n")
    done = world.run("generate", "shop/open.py", budget=10.0)
    assert done.code == 2, done
    assert "gemini.url cannot be set by a project's file" in done.out
    assert done.received == []
