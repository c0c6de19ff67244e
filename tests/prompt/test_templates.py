"""Templates take fragments only."""

from __future__ import annotations

from typing import Any

import pytest

from hybridgen.domain import Fragment, Label
from hybridgen.prompt import templates
from hybridgen.prompt.templates import is_ours, render

FRAGMENT = Fragment("a text", Label.CONFIDENTIAL, "here", "made by a test")


@pytest.mark.parametrize("value", ["text", b"text", ["text"], [FRAGMENT, "text"], 3, {"a": 1}])
def test_anything_but_fragments_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="takes fragments only"):
        render("context", {"module": value, "outline": ()})


def test_template_that_writes_the_text_of_a_fragment_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import jinja2

    loader = jinja2.DictLoader(
        {"bad.jinja": "{{ value.text }}", "worse.jinja": "{{ value.text ~ '!' }}"}
    )
    monkeypatch.setattr(jinja2, "PackageLoader", lambda _package: loader)
    for name in ("bad", "worse"):
        with pytest.raises(TypeError, match="writes a str"):
            render(name, {"value": FRAGMENT})


def test_values_stay_the_fragments_they_were_and_our_words_are_public() -> None:
    parts = render("context", {"module": FRAGMENT, "outline": [FRAGMENT, FRAGMENT]})
    assert [part is FRAGMENT for part in parts].count(True) == 3
    assert {part.label for part in parts if part is not FRAGMENT} == {Label.PUBLIC}


def test_text_that_looks_like_a_mark_or_a_template_stays_text() -> None:
    tricky = Fragment("\x000\x00{{ module }}{% endfor %}", Label.PUBLIC, "here", "why")
    parts = render("context", {"module": FRAGMENT, "outline": [tricky]})
    assert tricky in parts
    assert parts.count(FRAGMENT) == 1


def test_unknown_variable_is_an_error() -> None:
    import jinja2

    with pytest.raises(jinja2.UndefinedError):
        render("context", {"module": FRAGMENT})


def test_every_template_ships() -> None:
    assert templates.__file__ is not None
    assert "".join(part.text for part in render("system", {})).endswith("\n")


def test_words_of_the_templates_are_ours_and_nothing_else_is() -> None:
    values = {"name": FRAGMENT, "owner": FRAGMENT, "source": FRAGMENT}
    lists = {"around": [FRAGMENT], "missing": [FRAGMENT], "examples": [FRAGMENT]}
    parts = (
        *render("system", {}),
        *render("context", {"module": FRAGMENT, "outline": [FRAGMENT]}),
        *render("request_class", {**values, **lists}),
        *render("request_function", {**values, "around": (), "missing": (), "examples": ()}),
    )
    assert [is_ours(part.text) for part in parts] == [part is not FRAGMENT for part in parts]
    assert not is_ours("Write calls of `\nSECRET = 1\n` that together")
