"""Tables: how many rows, in which order, and what they are called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen import suite
from hybridgen.domain import Module, Observation

MakeObserve = Callable[[Module], Callable[..., Observation]]


def text_of(module: Module, cases: list[Observation]) -> str:
    path = module.project.tests_folder / "test_pricing.py"
    return suite.render(
        module, "shop.pricing", cases, path=path, previous=None, line_length=88
    ).text


@pytest.mark.parametrize(("count", "tests"), [(6, 1), (8, 2)])
def test_long_table_is_split_by_what_it_shows(
    pricing: Module, observe: Callable[..., Observation], count: int, tests: int
) -> None:
    texts = ("ABC123", "A1", "XYZ789", "", "abc456", "123ABC", "QWE000", "ABCDEF")[:count]
    cases = [observe("is_sku", f"= is_sku({text!r})") for text in texts]
    text = text_of(pricing, cases)
    assert text.count("def test_is_sku") == tests
    assert ("assert is_sku(text) is True" in text) is (tests == 2)


def test_rows_start_with_words_and_end_with_nothing(
    make_module: Callable[..., Module], make_observe: MakeObserve
) -> None:
    module = make_module("def same(text):\n    return text\n")
    observe = make_observe(module)
    cases = [observe("same", f"= same({text!r})") for text in ("--", "", "word", "a longer one")]
    text = text_of(module, cases)
    places = [text.index(f'("{value}", ') for value in ("word", "a longer one", "--", "")]
    assert places == sorted(places)


def test_rows_with_documents_in_them_have_short_names(
    make_module: Callable[..., Module], make_observe: MakeObserve
) -> None:
    module = make_module("def size(text):\n    return len(text.splitlines())\n")
    observe = make_observe(module)
    documents = ("Summary.\n\nArgs:\n    a: one\n", "Just\ntwo\nlines.\n")
    text = text_of(module, [observe("size", f"= size({document!r})") for document in documents])
    assert 'ids=["just-two-lines", "summary-args-a-one"]' in text.replace("\n    ", " ").replace(
        "[ ", "["
    )


def test_fixtures_stand_in_one_order(
    make_module: Callable[..., Module], make_observe: MakeObserve
) -> None:
    module = make_module("def show(path):\n    print(path.name)\n")
    step = ("path = tmp_path / 'a'", "= show(path)")
    observe = make_observe(module)
    case = observe("show", *step, fixtures=("monkeypatch", "tmp_path"), tmp_path=module.path.parent)
    assert "(tmp_path, monkeypatch, capsys):" in text_of(module, [case])
