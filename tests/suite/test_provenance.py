"""What a test may take from the module under test, by where the module has it from."""

from __future__ import annotations

import pytest

from hybridgen.suite import forbidden
from hybridgen.suite.provenance import own_names


def taken(name: str, module_source: str) -> tuple[str, ...]:
    """Screens a test that takes a name from a module with this text."""
    test = f"from shop.tasks import {name}\n\n\ndef test_it():\n    assert {name}(1) == 1\n"
    return forbidden(test, "shop.tasks", module_source)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("open", "def open(path):\n    return path\n"),
        ("signal", "import os\n\n\nclass signal:\n    pass\n"),
        ("code", "code = {'a': [1, -2]}\n"),
        ("code", "code: int = 3\n"),
        ("compile", "async def compile(text):\n    return text\n"),
        ("compile", "import re\n\n\ndef compile(text):\n    return re.compile(text)\n"),
        ("system", "def run():\n    system = 1\n    return system\n\n\ndef system():\n    pass\n"),
    ],
)
def test_what_a_module_defines_itself_may_be_taken_whatever_it_is_called(
    name: str, source: str
) -> None:
    assert taken(name, source) == ()


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("open", ""),
        ("open", "from io import open\n"),
        ("system", "from os import system\n"),
        ("system", "from .compat import system\n"),
        ("system", "from compat import *\n\n\ndef system():\n    pass\n"),
        ("system", "def system():\n    pass\n\n\nfrom os import system\n"),
        (
            "system",
            "def system():\n    pass\n\n\ntry:\n    from os import system\nfinally:\n    1\n",
        ),
        ("system", "try:\n    from os import system\nexcept ImportError:\n    system = 1\n"),
        ("system", "import os\nsystem = os.system\n"),
        ("system", "system = getattr(__import__('os'), 'system')\n"),
        ("system", "system = 1\nfor system in run():\n    pass\n"),
        ("system", "system = 1\nwith run() as system:\n    pass\n"),
        ("system", "system = 1\n(system := run())\n"),
        ("system", "system = 1\nsystem, other = run()\n"),
        ("system", "system = 1\nmatch run():\n    case system:\n        pass\n"),
        ("system", "system = 1\n\n\ndef change():\n    global system\n    system = run()\n"),
        ("system", "def system():\n    pass\n\n\nimport os.path as system\n"),
        ("system", "system = 1\nsystem += run()\n"),
        ("os", "import os\n"),
        ("system", "def system(:\n"),
    ],
)
def test_what_a_module_may_have_from_elsewhere_is_refused(name: str, source: str) -> None:
    assert taken(name, source)


def test_an_own_name_of_another_module_says_nothing() -> None:
    source = "from shop.other import system\n\n\ndef test_it():\n    assert system(1) == 1\n"
    assert forbidden(source, "shop.tasks", "def system(x):\n    return x\n")


def test_own_names_stay_refused_as_attributes_and_in_other_tests() -> None:
    source = (
        "def test_one():\n    from shop.tasks import compile\n\n    assert compile(1) == 1\n\n\n"
        "def test_two():\n    assert compile('1', '', 'eval') == 1\n"
    )
    own = "def compile(x):\n    return x\n"
    assert forbidden(source, "shop.tasks", own) == ("line 8: uses compile",)
    assert forbidden(
        "from shop.tasks import os\n\n\ndef test_it():\n    assert os(1).os.system == 1\n",
        "shop.tasks",
        "def os(x):\n    return x\n",
    )


def test_a_name_that_is_bound_in_a_function_only_is_no_name_of_the_module() -> None:
    assert own_names("def run():\n    code = 1\n    return code\n") == {"run"}
