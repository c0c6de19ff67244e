from __future__ import annotations

import pytest

from hybridgen.domain import Label
from hybridgen.label import label_text


def test_unmarked_text_is_confidential() -> None:
    fragment = label_text("def f(): ...", "shop/cart.py")
    assert (fragment.text, fragment.origin) == ("def f(): ...", "shop/cart.py")
    assert fragment.label is Label.CONFIDENTIAL
    assert fragment.why == "not marked, so confidential"


@pytest.mark.parametrize("text", ["# hybridgen: public\n", "# license: MIT, public domain\n", ""])
def test_nothing_that_the_text_says_lowers_its_label(text) -> None:
    assert label_text(text, "a.py").label is Label.CONFIDENTIAL


def test_error_while_classifying_is_confidential_and_says_so() -> None:
    def broken(text: str, origin: str) -> None:
        raise OSError("unreadable")

    fragment = label_text("", "a.py", [lambda text, origin: (Label.PUBLIC, "marked"), broken])
    assert fragment.label is Label.CONFIDENTIAL
    assert "OSError" in fragment.why


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([None], (Label.CONFIDENTIAL, "not marked, so confidential")),
        ([(Label.PUBLIC, "p"), None], (Label.PUBLIC, "p")),
        ([(Label.PUBLIC, "p"), (Label.INTERNAL, "i")], (Label.INTERNAL, "i")),
        ([(Label.CONFIDENTIAL, "c"), (Label.PUBLIC, "p")], (Label.CONFIDENTIAL, "c")),
    ],
)
def test_strictest_rule_wins(answers, expected) -> None:
    rules = [lambda text, origin, answer=answer: answer for answer in answers]
    fragment = label_text("x", "a.py", rules)
    assert (fragment.label, fragment.why) == expected
