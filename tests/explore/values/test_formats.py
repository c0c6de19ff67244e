"""What is written in a format can be read in it, and says the same."""

from __future__ import annotations

import configparser
import csv
import json
import tomllib
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridgen.explore.values.formats import MALFORMED, SUFFIXES, file_name, format_of, text_of

NAMES = st.text("abcxyz-_.1", min_size=1, max_size=6)
PLAIN = st.one_of(st.booleans(), st.integers(-9, 9), st.text("ab \"'\\#=[1", max_size=5))
NODES = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(PLAIN, max_size=3), st.dictionaries(NAMES, inner))
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, NODES, max_size=4))
def test_toml_says_the_same(data: dict[str, object]) -> None:
    assert tomllib.loads(text_of("toml", data)) == data


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, NODES, max_size=4))
def test_json_says_the_same(data: dict[str, object]) -> None:
    assert json.loads(text_of("json", data)) == data


def test_sections_say_the_same() -> None:
    data = {"a": {"b": "1", "c": "x\ny", "d": ""}, "tool:main": {}}
    parser = configparser.ConfigParser()
    parser.read_string(text_of("ini", data))
    assert {name: dict(parser[name]) for name in parser.sections()} == data


def test_records_have_a_line_of_names() -> None:
    text = text_of("csv", [{"a": "1", "b": "x,y"}, {"a": "2"}])
    assert list(csv.DictReader(text.splitlines())) == [
        {"a": "1", "b": "x,y"},
        {"a": "2", "b": ""},
    ]
    assert text_of("csv", [["a", "b"], ["1"]]) == "a,b\n1\n"


def test_elements_have_attributes_texts_and_children() -> None:
    data = {"@id": '"1"', "b": [{"#text": "x<y"}, "z"], "c": {}}
    root = ElementTree.fromstring(text_of("xml", data, "feed"))
    assert (root.tag, root.attrib) == ("feed", {"id": '"1"'})
    assert [node.text for node in root] == ["x<y", "z", None]


def test_lines_are_plain_text() -> None:
    assert text_of("", ["a=1", "# b"]) == "a=1\n# b\n"


@pytest.mark.parametrize("kind", sorted(set(SUFFIXES.values())))
def test_the_name_of_a_file_says_its_format(kind: str) -> None:
    assert format_of(file_name(kind)) == kind


def test_malformed_texts_are_refused() -> None:
    for text in MALFORMED["toml"]:
        with pytest.raises(tomllib.TOMLDecodeError):
            tomllib.loads(text)
    for text in MALFORMED["ini"]:
        with pytest.raises(configparser.Error):
            configparser.ConfigParser().read_string(text)
    for text in MALFORMED["xml"]:
        with pytest.raises(ElementTree.ParseError):
            ElementTree.fromstring(text)
