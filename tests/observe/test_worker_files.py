"""What the worker tells of files below tmp_path, in real processes inside the locks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate, Observation, StepResult
from hybridgen.domain.places import is_listing
from hybridgen.observe.confirm import confirm
from hybridgen.observe.runner import Runner

FILES = """
import os
import shutil
import time
from pathlib import Path


def put(path, data):
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        path.write_text(data, encoding="utf-8", newline="")


def put_and_fail(path):
    path.write_text("half")
    raise ValueError("no more")


def make(path):
    path.mkdir(parents=True)
    return True


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def rename(old, new):
    os.replace(old, new)


def link(path, target):
    path.symlink_to(target)


def many(folder, count):
    for number in range(count):
        (folder / f"f{number}").write_text(str(number))


def say_where(path):
    path.write_text(f"I am {path}")


def stamp(path):
    path.write_text(str(time.time()))


def odd(folder):
    (folder / "it's").touch()
    (folder / "new\\nline").touch()
    (folder / "plain").touch()


def here(text):
    with open("out.txt", "w") as file:
        file.write(text)


def lines(path):
    for word in ("a", "b"):
        with path.open("a") as file:
            file.write(word)
        yield word


class Log:
    def __init__(self, path):
        self.path = path

    def say(self, text):
        with self.path.open("a") as file:
            file.write(text)


DEFAULT = "abc"


def same(path):
    path.write_text(path.read_text())
"""

Told = list[tuple[str, str, str]]


def told(result: StepResult) -> Told:
    """Place, question and answer of each check."""
    return [(name, c.path, c.expression) for name, checks in result.changed for c in checks]


@pytest.fixture
def done(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> Callable[..., Told]:
    """What the last step did, with what the steps before it did to files held to nothing.

    The list of all names comes last; it is left out where it is not asked for.
    """
    runner = open_runner(FILES)

    def done(*codes: str, has_list: bool = False) -> Told:
        found = runner.run(candidate(*codes))
        assert isinstance(found, Observation), found
        assert not any(told(result) for result in found.results[:-1])
        last = told(found.results[-1])
        return [item for item in last if has_list or not is_listing(item[0])]

    return done


@pytest.mark.parametrize(
    ("data", "question", "shown"),
    [
        ("'abc\\n'", ".read_text()", "'abc\\n'"),
        ("''", ".read_text()", "''"),
        ("'it\\'s \"x\"\\t'", ".read_text()", "'it\\'s \"x\"\\t'"),
        ("'Größe\\n'", ".read_text(encoding='utf-8')", "'Größe\\n'"),
        ("'a,b\\r\\n'", ".read_bytes()", "b'a,b\\r\\n'"),
        ("b'\\x00\\xff'", ".read_bytes()", "b'\\x00\\xff'"),
    ],
)
def test_contents_are_told_as_a_test_reads_them(
    done: Callable[..., Told], data: str, question: str, shown: str
) -> None:
    place = "tmp_path / 'data.txt'"
    assert done(f"?put({place}, {data})") == [
        (place, question, shown),
        (place, ".is_file()", "True"),
    ]


def test_long_contents_are_told_in_part_and_binary_ones_not_at_all(
    done: Callable[..., Told],
) -> None:
    place = "tmp_path / 'x'"
    assert done(f"?put({place}, 'ab' * 500)")[:2] == [
        (place, ".read_text()", "1000"),
        (place, ".read_text()[:60]", repr("ab" * 30)),
    ]
    assert done(f"?put({place}, bytes(100))") == [(place, ".is_file()", "True")]
    assert done(f"?put({place}, 'a' * 30_000)") == [(place, ".is_file()", "True")]


def test_folders_links_and_what_is_gone_are_told(done: Callable[..., Told]) -> None:
    assert done("?make(tmp_path / 'a' / 'b')") == [("tmp_path / 'a' / 'b'", ".is_dir()", "True")]
    assert done("?link(tmp_path / 'a', tmp_path / 'b')") == [
        ("tmp_path / 'a'", ".is_symlink()", "True")
    ]
    made = ("(tmp_path / 'd').mkdir()", "(tmp_path / 'd' / 'f').write_text('x')")
    assert done(*made, "?remove(tmp_path / 'd')") == [("tmp_path / 'd'", ".exists()", "False")]
    assert done(*made, "?remove(tmp_path)") == [("tmp_path", ".exists()", "False")]
    assert done(*made, "?rename(tmp_path / 'd', tmp_path / 'e')") == [
        ("tmp_path / 'e' / 'f'", ".read_text()", "'x'"),
        ("tmp_path / 'e' / 'f'", ".is_file()", "True"),
        ("tmp_path / 'd'", ".exists()", "False"),
    ]


def test_names_in_the_folder_are_told_after_what_happened_there(done: Callable[..., Told]) -> None:
    names = "sorted(p.name for p in tmp_path.iterdir())"
    made = ("(tmp_path / 'd').mkdir()", "(tmp_path / 'd' / 'f').write_text('x')")
    found = done("?many(tmp_path, 5)", has_list=True)
    assert [path for _, path, _ in found[:-1]] == [".read_text()", ".is_file()"] * 5
    assert found[-1] == (names, "", "['f0', 'f1', 'f2', 'f3', 'f4']")
    assert done(*made, "?put(tmp_path / 'a', '')", has_list=True)[-1] == (names, "", "['a', 'd']")
    assert done(*made, "remove(tmp_path / 'd') or many(tmp_path, 1)", has_list=True)[-1] == (
        names, "", "['f0']"
    )  # fmt: skip
    nested = "sorted(p.name for p in (tmp_path / 'd').rglob('*'))"
    code = "many(tmp_path / 'd', 1) or make(tmp_path / 'd' / 'e' / 'g')"
    assert done(*made, code, has_list=True)[-1] == (nested, "", "['e', 'f', 'f0', 'g']")
    assert not done("?many(tmp_path, 100)", has_list=True)


def test_what_the_candidate_itself_prepares_is_not_told(done: Callable[..., Told]) -> None:
    path = "path = tmp_path / 'data.txt'"
    assert not done(path, "path.write_text('abc')")
    assert not done(path, "path.write_text('abc')", "?same(path)")
    assert done(path, "path.write_text('x')", "put(path, path.read_text() + DEFAULT)") == [
        ("tmp_path / 'data.txt'", ".read_text()", "'xabc'"),
        ("tmp_path / 'data.txt'", ".is_file()", "True"),
    ]


def test_objects_iterators_and_calls_that_raise_are_followed(done: Callable[..., Told]) -> None:
    place = "tmp_path / 'a'"
    assert done(f"log = Log({place})", "log.say('abc')")[0] == (place, ".read_text()", "'abc'")
    assert done(f"?lines({place})")[0] == (place, ".read_text()", "'ab'")
    assert done(f"found = lines({place})", "?next(found)")[0] == (place, ".read_text()", "'a'")
    assert done(f"?put_and_fail({place})")[0] == (place, ".read_text()", "'half'")


def test_names_that_a_test_cannot_show_are_left_out(done: Callable[..., Told]) -> None:
    assert {place for place, _, _ in done("?odd(tmp_path)")} == {"tmp_path / 'plain'"}


def test_the_working_folder_counts_where_it_lies_below(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    runner = open_runner(FILES)
    steps = candidate("monkeypatch.chdir(tmp_path)", "?here('abc')")
    found = runner.run(
        Candidate("f", steps.steps, steps.label, "model", (), ("tmp_path", "monkeypatch"))
    )
    assert isinstance(found, Observation)
    assert told(found.results[-1])[0] == ("tmp_path / 'out.txt'", ".read_text()", "'abc'")


def test_confirmed_is_what_does_not_depend_on_place_and_time(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    codes = ["put(tmp_path / 'a', 'x')", "say_where(tmp_path / 'a')", "stamp(tmp_path / 'a')"]
    asked = [candidate(code) for code in codes]
    kept, dropped = confirm(open_runner(FILES), asked, seed=1, deadline=float("inf"))
    assert not dropped
    assert [told(observation.results[-1])[0] for observation in kept] == [
        ("tmp_path / 'a'", ".read_text()", "'x'"),
        ("tmp_path / 'a'", ".is_file()", "True"),
        ("tmp_path / 'a'", ".is_file()", "True"),
    ]
    assert not any(".is_file()" in check for check in told(kept[0].results[-1]))


def test_of_many_files_a_test_reads_a_few_and_names_all(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    asked = [candidate(f"many(tmp_path, {count})") for count in (3, 4)]
    kept, _ = confirm(open_runner(FILES), asked, seed=1, deadline=float("inf"))
    three, four = ([name for name, _ in item.results[-1].changed] for item in kept)
    assert three[:3] == ["tmp_path / 'f0'", "tmp_path / 'f1'", "tmp_path / 'f2'"]
    assert four == ["sorted(p.name for p in tmp_path.iterdir())", *three[:3]]
