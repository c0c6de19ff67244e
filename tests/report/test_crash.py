"""What is told about an internal error."""

from hybridgen.report.crash import crash_text, place_of
from hybridgen.report.visible import visible


def caught(action):
    try:
        action()
    except Exception as error:
        return error
    raise AssertionError("it did not raise")


def test_the_place_is_the_innermost_one_of_ours():
    error = caught(lambda: visible(7))
    assert place_of(error).startswith("hybridgen/report/visible.py:")


def test_an_error_without_a_frame_of_ours_has_no_place():
    assert place_of(caught(lambda: 1 / 0)) == "an unknown place"


def test_causes_come_first_and_messages_stay_out():
    def fail():
        try:
            raise KeyError("private word")
        except KeyError as error:
            raise ValueError("another private word") from error

    text = crash_text(caught(fail), "1.0")
    assert text.index("builtins.KeyError") < text.index("builtins.ValueError")
    assert "private" not in text
    assert "in test_causes_come_first_and_messages_stay_out.<locals>.fail" in text


def test_a_circle_of_causes_ends():
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert crash_text(first, "1.0").count("builtins.") == 2
