"""What code asks of objects of no known class."""

from __future__ import annotations

import ast

from hybridgen.explore.wanted.shapes import ITEM, Shape, shapes_in
from hybridgen.explore.wanted.uses import subject_of


def shape(source: str, name: str = "x") -> Shape:
    """What a text asks of a name."""
    return shapes_in(ast.parse(source), subject_of)[name]


def test_attributes_and_methods_are_told_apart() -> None:
    found = shape("if x.ready:\n    x.send(1, 2)\n    x.close()")
    assert list(found.members) == ["ready", "send", "close"]
    assert not found.members["ready"].counts
    assert list(found.members["send"].counts) == [2]
    assert list(found.members["close"].counts) == [0]


def test_what_members_are_compared_with_is_known() -> None:
    found = shape("if x.level() > 5 or x.kind in ('a', 'b'):\n    pass")
    assert list(found.members["level"].literals) == ["5"]
    assert list(found.members["kind"].literals) == ["'a'", "'b'"]


def test_a_chain_is_an_object_in_an_object() -> None:
    found = shape("y = x.owner.name()")
    assert list(found.members["owner"].members["name"].counts) == [0]


def test_a_local_name_for_a_member_tells_of_it() -> None:
    found = shape("reply = x.ask()\nprint(reply.status)\nfor part in reply.parts:\n    part.read()")
    reply = found.members["ask"]
    assert "status" in reply.members
    assert "read" in reply.members["parts"].members[ITEM].members


def test_exceptions_that_are_waited_for_belong_to_what_is_called() -> None:
    source = """
try:
    x.read()
except (TimeoutError, ValueError):
    x.close()
"""
    found = shape(source)
    assert list(found.members["read"].failures["__call__"]) == ["TimeoutError", "ValueError"]
    assert not found.members["close"].failures
    assert found.can_fail


def test_any_exception_is_one_that_can_be_raised() -> None:
    found = shape("try:\n    text = repr(x)\nexcept Exception:\n    text = ''")
    assert found.failures == {"__repr__": {"ValueError": None}}


def test_what_ends_a_program_is_not_raised() -> None:
    assert not shape("try:\n    x.run()\nexcept KeyboardInterrupt:\n    pass").can_fail


def test_what_an_object_holds_is_known_by_its_class() -> None:
    source = "class A:\n    def f(self):\n        return self.sink.write('a')"
    assert "write" in shape(source, "self.sink").members


def test_what_is_awaited_is_known() -> None:
    assert shape("async def f(x):\n    await x.ask()").members["ask"].is_awaited


def test_name_for_a_member_of_itself_comes_to_an_end() -> None:
    found = shape(
        "while x.left.depth > 3:\n    y = x.left\n    z = y.right\n    x = z.up\n    y = z.left\n"
    )
    assert "right" in found.members["left"].members
    assert "up" in found.members["left"].members["right"].members
