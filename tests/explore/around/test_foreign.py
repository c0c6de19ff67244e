"""Stand-ins for other programs and machines answer what the code asks."""

import ast
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from hybridgen.explore.around.foreign import outside_values

NAMES = {"nullcontext": nullcontext, "SimpleNamespace": SimpleNamespace}

ENTERED = """
def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as response:
        if response.status != 200:
            return response.reason
        charset = response.headers.get_content_charset()
        return response.read().decode(charset)
"""
HELD = """
def fetch(url):
    response = urllib.request.urlopen(url)
    try:
        return response.getcode(), response.info().get("a"), response.read(), response.geturl()
    finally:
        response.close()
"""


def stand_ins(source, full):
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    call = next(node for node in calls if ast.unparse(node.func) == full)
    return outside_values(call, full, source, (), lambda name: name)


def results(source, full="urllib.request.urlopen"):
    """What ``fetch`` gives with each stand-in, run for real."""
    found = []
    for text in stand_ins(source, full):
        open_page = eval(text, dict(NAMES))
        module = SimpleNamespace(request=SimpleNamespace(urlopen=open_page))
        space = {"urllib": module, "requests": SimpleNamespace(get=open_page)}
        exec(source, space)
        found.append(space["fetch"]("a"))
    return found


def test_a_page_that_is_entered_has_status_headers_and_text():
    found = results(ENTERED)
    assert "done\n" in found
    assert "Not Found" in found


def test_a_page_that_is_held_has_what_is_asked_of_it():
    found = results(HELD)
    assert (200, None, b"done\n", "https://example.com") in found
    assert (404, None, b"", "https://example.com") in found


def test_a_page_of_which_only_the_text_is_asked_stays_plain():
    source = "def fetch(url):\n    return urllib.request.urlopen(url).read()"
    assert all(
        text.startswith("lambda *args, **kwargs: io.BytesIO(b")
        for text in stand_ins(source, "urllib.request.urlopen")
    )


@pytest.mark.parametrize(
    ("asked", "good", "bad"), [("reason", "OK", "Not Found"), ("url", "h", "h")]
)
def test_a_response_has_what_is_asked_of_it(asked, good, bad):
    source = f"def fetch(url):\n    response = requests.get(url)\n    return response.{asked}"
    found = results(source, "requests.get")
    assert {text[: len(good)] for text in found[::2]} == {good}
    assert {text[: len(bad)] for text in found[1::2]} == {bad}
