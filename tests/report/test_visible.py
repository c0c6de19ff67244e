"""Text that is safe for a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from hybridgen.report.visible import visible


def test_ordinary_text_stays_as_it_is():
    text = "shop/pricing.py\n\tgrüße 価格 €5 ✓"
    assert visible(text) == text


def test_what_could_steer_a_terminal_is_written_out():
    assert visible("a\x1b[2Jb\rc\x07") == "a\\x1b[2Jb\\rc\\x07"
    assert visible("\u202egnp.exe\u2066") == "\\u202egnp.exe\\u2066"
    assert visible("\x9b31m\udcff") == "\\x9b31m\\udcff"


@given(st.text(st.characters(codec=None)))
def test_any_text_becomes_printable_and_encodable(text):
    result = visible(text)
    assert all(mark.isprintable() or mark in "\n\t" for mark in result)
    result.encode("utf-8")
    assert visible(result) == result
