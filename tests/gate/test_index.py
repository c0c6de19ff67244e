"""The index of fingerprints: what it knows, and what does not count."""

from __future__ import annotations

import re
import stat
import threading

import numpy as np
import pytest

from hybridgen.domain import Label, SourceFile
from hybridgen.errors import GateRefusal
from hybridgen.gate import FingerprintIndex
from hybridgen.gate.index import LEAST_SHAPES, LEAST_SHARED, MOST_KEPT
from hybridgen.gate.winnow import are_shapes, fingerprints

PUBLIC, INTERNAL, CONFIDENTIAL = Label

RATES = """\
def hidden_rate(customer, volume, base):
    discount = TABLE.get(customer, 0) * volume
    if volume > 4711 and customer.startswith("acme"):
        return base - discount * 17 + len(customer)
    margin = base * 42 // (volume + 1)
    return max(margin, base - discount, 99)
"""


@pytest.fixture
def run(state, shop):
    """A new run: another index over the same files."""
    opened = []

    def begin():
        opened.append(FingerprintIndex(state / "fingerprints", shop.root))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


@pytest.fixture
def put(shop):
    """Writes a file, labels it and adds it."""

    def write(index, path, text, label):
        index.add(shop.write(path, text, label), text)

    return write


def places(index, text, clearance=PUBLIC):
    return [overlap.path for overlap in index.overlaps(text, clearance)]


def test_a_copy_is_found_with_both_places(index, put, shop, margins_text):
    put(index, "src/margins.py", margins_text, CONFIDENTIAL)
    (found,) = index.overlaps(f"x = 1\n\n{margins_text}", PUBLIC)
    assert found.path == str(shop.root / "src/margins.py")
    assert found.label == CONFIDENTIAL
    assert found.is_there is True
    assert found.prompt_line == found.line + 2
    assert found.shared > 10


def test_other_text_is_not_found(index, put, margins_text, prices_text):
    put(index, "src/margins.py", margins_text, CONFIDENTIAL)
    assert places(index, prices_text) == []


def test_one_line_in_common_is_not_enough(index, put, margins_text):
    put(index, "src/margins.py", margins_text, CONFIDENTIAL)
    line = next(line for line in margins_text.splitlines() if "unit_cost" in line)
    assert places(index, line) == []


def test_three_fingerprints_in_common_are_too_many(index, put, margins_text):
    put(index, "src/margins.py", margins_text, CONFIDENTIAL)
    words = margins_text.split("rebate.", 1)[1].split()
    runs = [" ".join(words[:count]) for count in range(1, len(words))]
    found = {run: fingerprints(run, is_file=False)[0] for run in runs}
    shapes = {run: int(are_shapes(hashes).sum()) for run, hashes in found.items()}
    counts = {run: len(hashes) - shapes[run] for run, hashes in found.items()}
    assert {2, 3} <= set(counts.values())
    few = [run for run, count in counts.items() if count <= 2 and shapes[run] == 0]
    assert few
    assert not any(places(index, run) for run in few)
    assert all(places(index, run) for run, count in counts.items() if count == 3)


def test_code_under_other_names_is_found_by_two_shapes_and_not_by_one(index, put, shop):
    put(index, "src/rates.py", RATES, CONFIDENTIAL)
    renamed = RATES
    for number, name in enumerate(("customer", "volume", "base", "discount", "margin")):
        renamed = re.sub(rf"\b{name}\b", f"other_{number}", renamed)
    known = fingerprints(RATES, is_file=True)[0]
    shared = {}
    for end in range(1, len(renamed)):
        hashes = np.intersect1d(fingerprints(renamed[:end], is_file=False)[0], known)
        shapes = int(are_shapes(hashes).sum())
        shared.setdefault((len(hashes) - shapes, shapes), renamed[:end])
    assert {(0, 1), (0, 2)} <= set(shared)
    assert places(index, shared[0, 1]) == []
    assert places(index, shared[0, 2]) == [str(shop.root / "src/rates.py")]
    assert places(index, renamed) == [str(shop.root / "src/rates.py")]


def test_what_many_packages_share_is_not_found(index, put):
    idiom = (
        "    def __exit__(\n        self,\n        exc_type: type[BaseException] | None,\n"
        "        exc_val: BaseException | None,\n        exc_tb: TracebackType | None,\n"
        "    ) -> None:\n        self.close()\n"
    )
    prints = fingerprints(idiom, is_file=False)[0]
    shapes = int(are_shapes(prints).sum())
    assert shapes >= LEAST_SHAPES or len(prints) - shapes >= LEAST_SHARED
    put(index, "src/margins.py", f"import os\n\n\nclass One:\n{idiom}", CONFIDENTIAL)
    assert places(index, idiom) == []


def test_the_clearance_decides_what_counts(index, put, margins_text):
    put(index, "src/margins.py", margins_text, INTERNAL)
    assert places(index, margins_text, PUBLIC) != []
    assert places(index, margins_text, INTERNAL) == []


def test_what_was_added_is_kept_when_the_index_is_closed(run, put, shop, margins_text):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    (shop.root / "src/margins.py").unlink()
    (found,) = run().overlaps(margins_text, PUBLIC)
    assert found.is_there is False


def test_deleted_text_stays_known(run, put, margins_text):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    second = run()
    put(second, "src/margins.py", "x = 1\n", CONFIDENTIAL)
    assert places(second, margins_text) != []


def test_a_new_version_adds_what_is_new(run, put, margins_text, prices_text):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    second = run()
    put(second, "src/margins.py", margins_text + prices_text, CONFIDENTIAL)
    assert places(second, prices_text) != []
    assert places(second, margins_text) != []


def test_a_file_that_its_owner_made_public_does_not_count(run, put, margins_text, shop):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    put(first, "src/margins.py", f"y = 2\n{margins_text}", CONFIDENTIAL)
    first.close()
    second = run()
    put(second, "src/margins.py", f"z = 3\n{margins_text}", PUBLIC)
    assert places(second, margins_text) == []


def test_what_it_said_earlier_and_says_no_more_still_counts(run, put, margins_text, prices_text):
    first = run()
    put(first, "src/margins.py", margins_text + prices_text, CONFIDENTIAL)
    first.close()
    second = run()
    put(second, "src/margins.py", prices_text, PUBLIC)
    assert places(second, prices_text) == []
    assert places(second, margins_text) != []


def test_another_confidential_file_with_the_same_text_still_counts(run, put, shop, margins_text):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    put(first, "src/copy.py", margins_text, CONFIDENTIAL)
    first.close()
    second = run()
    put(second, "src/margins.py", margins_text, PUBLIC)
    assert places(second, margins_text) == [str(shop.root / "src/copy.py")]


def test_a_file_that_becomes_confidential_again_counts_again(run, put, margins_text):
    for label, is_leak in ((CONFIDENTIAL, True), (PUBLIC, False), (CONFIDENTIAL, True)) * 2:
        index = run()
        put(index, "src/margins.py", margins_text, label)
        assert bool(places(index, margins_text)) is is_leak
        index.close()


@pytest.mark.parametrize("is_one_run", [True, False])
def test_an_older_version_that_is_public_again_does_not_count(run, put, margins_text, is_one_run):
    index = run()
    versions = [(margins_text, PUBLIC), (f"y = 2\n{margins_text}", CONFIDENTIAL)] * 2
    for text, label in versions[:3]:
        if not is_one_run:
            index.close()
            index = run()
        put(index, "src/margins.py", text, label)
    assert places(index, margins_text) == []


def test_a_label_changed_twice_within_a_run_counts_as_the_last_one(index, put, margins_text):
    for label in (PUBLIC, CONFIDENTIAL, PUBLIC, CONFIDENTIAL):
        put(index, "src/margins.py", margins_text, label)
    assert places(index, margins_text) != []


def test_text_that_was_public_first_is_no_leak_when_a_confidential_file_copies_it(
    run, put, prices_text
):
    first = run()
    put(first, "src/prices.py", prices_text, PUBLIC)
    first.close()
    second = run()
    put(second, "src/margins.py", prices_text, CONFIDENTIAL)
    assert places(second, prices_text) == []


def test_text_that_was_moved_into_a_public_file_is_a_leak(run, put, margins_text, shop):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    second = run()
    put(second, "src/margins.py", "x = 1\n", CONFIDENTIAL)
    put(second, "src/open.py", margins_text, PUBLIC)
    second.close()
    third = run()
    put(third, "src/margins.py", f"{margins_text}\nx = 3\n", CONFIDENTIAL)
    assert places(third, margins_text) == [str(shop.root / "src/margins.py")]


@pytest.mark.parametrize("order", [(PUBLIC, CONFIDENTIAL), (CONFIDENTIAL, PUBLIC)])
def test_seen_in_the_same_run_the_confidential_file_wins(index, put, margins_text, order):
    for label in order:
        put(index, f"src/{label.name}.py", margins_text, label)
    assert places(index, margins_text) != []


def test_a_public_file_that_becomes_confidential_no_longer_excuses_others(run, put, margins_text):
    first = run()
    put(first, "src/prices.py", margins_text, PUBLIC)
    first.close()
    second = run()
    put(second, "src/margins.py", margins_text, CONFIDENTIAL)
    put(second, "src/prices.py", margins_text, CONFIDENTIAL)
    assert len(places(second, margins_text)) == 2


def test_files_of_other_projects_are_known_too(run, put, state, tmp_path, margins_text, shop):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    other = FingerprintIndex(state / "fingerprints", tmp_path / "other")
    put(other, "src/margins.py", margins_text, PUBLIC)
    assert places(other, margins_text) == [str(shop.root / "src/margins.py")]
    other.close()


def test_what_is_known_already_is_not_read_again(run, put, shop, margins_text):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    second = run()
    source = shop.write("src/margins.py", margins_text, CONFIDENTIAL)
    second.add(source, "not the text of these bytes, and never looked at because they are known")
    assert places(second, margins_text) != []


def test_what_is_known_need_not_be_read(run, put, shop, margins_text):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    second = run()
    assert second.knows(shop.write("src/margins.py", margins_text, CONFIDENTIAL))
    assert not second.knows(shop.write("src/margins.py", margins_text, PUBLIC))
    assert not second.knows(shop.write("src/margins.py", "x = 1\n", CONFIDENTIAL))
    assert not second.knows(shop.write("src/copy.py", margins_text, CONFIDENTIAL))


def test_another_run_s_files_are_seen_at_once(run, put, margins_text):
    first, second = run(), run()
    assert places(second, margins_text) == []
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    assert places(second, margins_text) != []


def test_database_and_key_are_for_their_user_alone(index, put, state, margins_text):
    put(index, "src/margins.py", margins_text, CONFIDENTIAL)
    index.close()
    files = sorted((state / "fingerprints").iterdir())
    assert [path.name for path in files] == ["fingerprints.db", "fingerprints.key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((state / "fingerprints").stat().st_mode) == 0o700


def test_neither_text_nor_hashes_without_the_key_are_stored(put, shop, tmp_path, margins_text):
    stored = []
    for name in ("one", "other"):
        index = FingerprintIndex(tmp_path / name, shop.root)
        put(index, "src/margins.py", margins_text, CONFIDENTIAL)
        index.close()
        stored.append((tmp_path / name / "fingerprints.db").read_bytes())
    assert all(b"rebate" not in one for one in stored)
    hashes = fingerprints(margins_text, is_file=True)[0]
    assert all(one.tobytes() not in data for one in hashes for data in stored)


@pytest.mark.parametrize("damage", ["lost", "changed", "short"])
def test_without_the_right_key_nothing_can_be_cleared(run, put, state, margins_text, damage):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    key = state / "fingerprints" / "fingerprints.key"
    if damage == "lost":
        key.unlink()
    else:
        key.write_bytes(bytes(32 if damage == "changed" else 3))
    second = run()
    with pytest.raises(GateRefusal, match=r"fingerprints\.key"):
        second.overlaps(margins_text, PUBLIC)
    assert key.exists() is (damage != "lost")


@pytest.mark.parametrize("damage", ["removed", "emptied"])
def test_fingerprints_that_are_lost_are_not_begun_anew_in_silence(
    run, put, state, margins_text, damage
):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    database = state / "fingerprints" / "fingerprints.db"
    if damage == "removed":
        database.unlink()
    else:
        database.write_bytes(b"")
    second = run()
    put(second, "src/other.py", "x = 1\n", CONFIDENTIAL)
    with pytest.raises(GateRefusal, match=r"fingerprints are lost .*rm .*fingerprints\.key"):
        second.overlaps(margins_text, PUBLIC)
    second.close()
    (state / "fingerprints" / "fingerprints.key").unlink()
    assert run().overlaps(margins_text, PUBLIC) == []


@pytest.mark.parametrize("mode", [0o644, 0o620])
def test_an_index_that_others_can_open_is_a_refusal(run, put, state, margins_text, mode):
    first = run()
    put(first, "src/margins.py", margins_text, CONFIDENTIAL)
    first.close()
    (state / "fingerprints" / "fingerprints.db").chmod(mode)
    with pytest.raises(GateRefusal, match="open to others"):
        run().overlaps(margins_text, PUBLIC)


def test_what_could_not_be_added_stops_sending_and_nothing_else(put, state, shop, margins_text):
    state.mkdir(mode=0o700)
    (state / "fingerprints").write_text("in the way")
    index = FingerprintIndex(state / "fingerprints", shop.root)
    put(index, "src/margins.py", margins_text, CONFIDENTIAL)
    with pytest.raises(GateRefusal):
        index.overlaps("x = 1", PUBLIC)
    index.close()


def test_a_very_long_file_takes_little_and_copies_of_it_are_still_found(index, put, state):
    lines = [f"row_{n} = Row(at={n * n}, name='n{n * 7}', price={n * 13}, tax={n % 97})\n"
             for n in range(12_000)]  # fmt: skip
    put(index, "src/table.py", "".join(lines), CONFIDENTIAL)
    copied = index.overlaps("".join(lines[5000:5100]), PUBLIC)
    assert copied[0].line in range(5000, 5101)
    index.close()
    assert (state / "fingerprints/fingerprints.db").stat().st_size < 13 * MOST_KEPT + 100_000


def test_names_that_are_no_utf_8_are_kept(index, put, shop, margins_text):
    name = "src/\udcff.py"
    index.add(SourceFile(name, "00", CONFIDENTIAL, ()), margins_text)
    assert places(index, margins_text) == [f"{shop.root}/{name}"]


def test_several_threads_may_ask(index, put, margins_text):
    put(index, "src/margins.py", margins_text, CONFIDENTIAL)
    answers = []

    def ask():
        answers.append(len(places(index, margins_text)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1, 1, 1, 1]


def test_project_that_is_gone_can_be_forgotten_and_no_other(shop, state) -> None:
    hidden = shop.write("app/hidden.py", RATES, CONFIDENTIAL)
    for root in (shop.root, shop.root.parent / "other"):
        index = FingerprintIndex(state / "fingerprints", root)
        index.add(hidden, RATES)
        index.close()
    index = FingerprintIndex(state / "fingerprints")
    gone = shop.root.parent / "other"
    assert [len(index.known_files(root)) for root in (shop.root, gone)] == [1, 1]
    assert index.known_files(gone / "app" / "hidden.py") == (gone / "app" / "hidden.py",)
    assert {one.root for one in index.overlaps(RATES, PUBLIC)} == {str(shop.root), str(gone)}
    index.forget(index.known_files(gone))
    assert [len(index.known_files(root)) for root in (shop.root, gone)] == [1, 0]
    assert {one.root for one in index.overlaps(RATES, PUBLIC)} == {str(shop.root)}
    index.close()
