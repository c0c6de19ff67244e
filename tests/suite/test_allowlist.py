"""Invariant 7: attacks that a written test must not contain, and tests that must be allowed."""

from __future__ import annotations

import pytest

from hybridgen.suite import forbidden

NAME = "shop.pricing"
HEAD = "import pytest\n\nfrom shop.pricing import Cart, discount, load\n\n\n"


def in_test(body: str, head: str = HEAD, parameters: str = "") -> tuple[str, ...]:
    """Screens a test function with this body."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return forbidden(f"{head}def test_it({parameters}):\n{lines}\n", NAME)


@pytest.mark.parametrize(
    "body",
    [
        "assert discount(100, 10) == 90",
        "with pytest.raises(ValueError, match='percent'):\n    discount(1, 101)",
        "with pytest.warns(DeprecationWarning):\n    result = discount(1, 2)\nassert result == 1",
        "cart = Cart()\ncart.add('tea', 3)\nassert cart.total() == 3\nassert len(cart) == 1",
        "cart = Cart()\ncart.open()\ncart.rename('x')\ncart.owner = 'ann'\nassert cart.owner",
        "assert discount(0.1, 3) == pytest.approx(0.3)",
        "assert type(Cart()).__name__ == 'Cart'",
        "assert 'a-b'.replace('-', '+') == load('a')",
        "names = ['b', 'a']\nassert sorted(names, key=lambda n: n.lower()) == load(names)",
        "assert [x * 2 for x in load('a') if x] == [2]",
        "input = 'text'\nassert load(input) == 'text'",
        "data = {'a': 1}\nassert load(data.copy()) == data\ndata['b'] = 2",
        "assert load('x').__len__() == 1",
        "assert getattr(Cart(), 'owner') == 'guest'",
    ],
)
def test_ordinary_tests_are_allowed(body: str) -> None:
    assert in_test(body) == ()


@pytest.mark.parametrize(
    "body",
    [
        "path = tmp_path / 'a.txt'\npath.write_text('x')\nassert load(path) == path.read_text()",
        "(tmp_path / 'sub').mkdir()\nassert load(str(tmp_path)) == ['sub']",
        "folder = tmp_path.joinpath('a', 'b')\nfolder.mkdir(parents=True)\nfolder.chmod(0o700)",
        "with open(tmp_path / 'a', 'w') as stream:\n    stream.write('x')",
        "for item in sorted(tmp_path.iterdir()):\n    item.unlink()",
        "(tmp_path / 'a').rename(tmp_path / 'b')",
    ],
)
def test_files_below_tmp_path_are_allowed(body: str) -> None:
    assert in_test(body, parameters="tmp_path") == ()


def test_standard_library_values_are_allowed() -> None:
    head = (
        "import asyncio\nimport datetime\nimport math\nimport urllib.parse\n"
        "from decimal import Decimal\nfrom io import StringIO\nfrom json import JSONDecodeError\n"
        "from pathlib import Path\nfrom zipfile import BadZipFile\n\nimport pytest\n\n"
        "from shop.errors import PriceError\nfrom shop.pricing import load\n\n\n"
    )
    body = (
        "assert asyncio.run(load('a')) == datetime.datetime.max\n"
        "assert math.isnan(load(Decimal('1')))\n"
        "assert load(StringIO('a')) == urllib.parse.quote('a b')\n"
        "assert load(Path('a/b.txt')) == Path('a/b.txt').with_suffix('.md')\n"
        "with pytest.raises((PriceError, BadZipFile, JSONDecodeError)):\n    load('x')"
    )
    assert in_test(body, head) == ()


PARSERS = "import configparser\n\nfrom shop.pricing import load\n\n\n"


def test_a_parser_filled_from_a_text_is_allowed() -> None:
    body = "parser = configparser.ConfigParser()\nparser.read_string('[a]')\nassert load(parser)"
    assert in_test(body, PARSERS) == ()
    assert in_test("assert load('x').read() == load(1)", PARSERS) == ()


@pytest.mark.parametrize(
    "body",
    [
        "configparser.ConfigParser().read('/etc/passwd')",
        "parser = [configparser.ConfigParser()]\nparser[0].read('/etc/passwd')",
        "read = configparser.ConfigParser().read\nread('/etc/passwd')",
        "getattr(configparser.ConfigParser(), 'read')('/etc/passwd')",
        "configparser.ConfigParser.read(load(1), '/etc/passwd')",
        "class P(configparser.ConfigParser):\n    def go(self):\n        self.read('/etc/passwd')",
        "configparser.RawConfigParser()",
        "load(1).read(*['/etc/passwd'])",
    ],
)
def test_no_parser_reads_a_file_by_name(body: str) -> None:
    assert in_test(body, PARSERS)
    assert in_test(body, PARSERS.replace("import configparser", "from configparser import *"))


def test_a_parser_is_not_borrowed_from_the_module_under_test() -> None:
    source = "from shop.pricing import ConfigParser\n\n\ndef test_it():\n    ConfigParser()\n"
    assert forbidden(source, NAME, "from configparser import ConfigParser\n")


@pytest.mark.parametrize(
    "line",
    [
        "import email\nload(email.message_from_string('a: b'))",
        "import logging\nload(logging.makeLogRecord({'msg': 'a'}))",
        "import xml.etree.ElementTree as ET\nload(ET.fromstring('<a/>'))",
    ],
)
def test_only_what_makes_a_filled_object_is_allowed_of_its_module(line: str) -> None:
    head, body = line.split("\n")
    start = f"{head}\n\nfrom shop.pricing import load\n\n\n"
    assert in_test(body, start) == ()
    name = body.partition("(")[2].partition("(")[0]
    other = name.rpartition(".")[0]
    for word in ("parse", "message_from_file", "FileHandler", "basicConfig", "ElementTree"):
        assert in_test(f"load({other}.{word}('/etc/passwd'))", start)


@pytest.mark.parametrize(
    "body",
    [
        # evaluating text
        "exec('x = 1')",
        "eval('1')",
        "compile('1', '', 'eval')",
        "__import__('os').system('true')",
        "run = eval\nrun('1')",
        "list(map(eval, ['1']))",
        "\N{MATHEMATICAL BOLD SMALL E}val('1')",
        "def inner():\n    eval = print\neval('1')",
        "[eval for eval in ()]\neval('1')",
        'load(\'__import__("os").system("true")\')',
        # ways into the interpreter
        "().__class__.__base__.__subclasses__()",
        "discount.__globals__['os'].system('true')",
        "discount.__code__",
        "getattr((), '__cl' + 'ass__')",
        "getattr((), '__class__')",
        "list(map(getattr, [()], ['__class__']))",
        "g = getattr\ng((), 'x')",
        "vars()['__builtins__']",
        "globals()",
        "locals()",
        "__builtins__",
        "match '':\n    case str(__class__=kind):\n        pass",
        "(x for x in ()).gi_frame.f_globals",
        "try:\n    discount(1, 2)\nexcept ValueError as error:\n    error.__traceback__.tb_frame",
        "with pytest.raises(ValueError) as info:\n    discount(1, 101)",
        "info = pytest.raises(ValueError, discount, 1, 101)\ninfo.traceback[0].frame.eval('1')",
        "type('X', (), {'__reduce__': lambda self: (print, ())})",
        "breakpoint()",
        "input()",
        # modules by the back door
        "import os",
        "import sys",
        "from os import system",
        "import os.path",
        "import subprocess, socket",
        "import ctypes",
        "import importlib",
        "from importlib import import_module",
        "import builtins",
        "import pickle",
        "import tempfile",
        "from shop.pricing import os",
        "from shop.pricing import subprocess as s",
        "from shop.pricing import *",
        "from . import conftest",
        "import shop.pricing",
        "import requests",
        "import numpy as np",
        "import collections\ncollections._sys.exit()",
        "import collections\nc = collections\nc._sys.exit()",
        "import asyncio\nasyncio.create_subprocess_shell('true')",
        "import asyncio\nasyncio.subprocess",
        "import asyncio\nasyncio.events.os",
        "import asyncio\nasyncio.Future().get_loop().subprocess_shell",
        "import json\njson.codecs.open('/etc/passwd')",
        "import re\nre.enum.sys",
        "import statistics\nstatistics.sys",
        "import io\nio.open('/etc/passwd')",
        "import io\nio.FileIO('/etc/passwd')",
        "import typing\ntyping.get_type_hints",
        "from functools import singledispatch",
        "from typing import ForwardRef",
        "import uuid\nuuid.uuid1()",
        "import urllib.parse\nurllib.request",
        "import contextlib\ncontextlib.chdir('/')",
        "from operator import attrgetter",
        "from types import FunctionType",
        "from unittest import mock",
        "pytest.importorskip('os').system('true')",
        "pytest.MonkeyPatch().setenv('A', 'b')",
        "pytest.main([])",
        "pytest.skip('no')",
        "from pytest import importorskip",
        "def inner():\n    from shop.pricing import load as asyncio\nimport asyncio\nasyncio.x",
        "Cart.os.system('true')",
        # files
        "open('/etc/passwd')",
        "open('x', 'w')",
        "import pathlib\npathlib.Path('/etc/passwd').read_text()",
        "from pathlib import Path\nPath('x').write_text('y')",
        "from pathlib import Path\np = Path('/x')\np.unlink()",
        "from pathlib import Path\nPath('x').replace('y')",
        "from pathlib import Path\nremove = Path('x').unlink\nremove()",
        "from pathlib import Path\nlist(map(Path.unlink, [Path('x')]))",
        "from pathlib import Path\ngetattr(Path('x'), 'unlink')()",
        "load('config').unlink()",
        "load('config').parent.rmdir()",
        "cart = Cart()\ncart.path.unlink()",
        # changing the module under test
        "Cart.total = lambda self: 1",
        "discount.rate = 2",
        "setattr(Cart, 'total', 1)",
        "c = Cart\nc.total = 1",
        "c = Cart\nd = c\nd.total = 1",
        "type(Cart()).total = 1",
        "load.cache['a'] = 1",
        "del Cart.total",
        "global x\nx = 1",
    ],
)
def test_attacks_are_refused(body: str) -> None:
    reasons = in_test(body)
    assert reasons
    assert all(reason.startswith("line ") for reason in reasons)


@pytest.mark.parametrize(
    "body",
    [
        "(tmp_path / '/etc/passwd').read_text()",
        "(tmp_path / '..' / 'x').unlink()",
        "(tmp_path / 'a/../../b').unlink()",
        "tmp_path.parent.rmdir()",
        "(tmp_path / name).unlink()",
        "tmp_path.joinpath('/etc').chmod(0)",
        "p = tmp_path / 'a'\np = load(p)\np.unlink()",
        "tmp_path = load('x')\ntmp_path.unlink()",
        "(lambda tmp_path: tmp_path.unlink())(load('x'))",
        "[tmp_path.unlink() for tmp_path in load('x')]",
        "(tmp_path / 'a').symlink_to('/etc')",
        "(tmp_path / 'a').rename('/home/x')",
        "(tmp_path / 'a').replace('/home/x')",
        "(tmp_path / 'a').copy('/home/x')",
        "open(str(tmp_path / 'a') + '/../../b')",
        "str = load\nopen(str(tmp_path), 'w')",
        "for p in tmp_path.glob('../*'):\n    p.unlink()",
        "for p in load(tmp_path):\n    p.unlink()",
        "with open(tmp_path.parent / 'x', 'w') as stream:\n    pass",
    ],
)
def test_ways_out_of_tmp_path_are_refused(body: str) -> None:
    assert in_test(body, parameters="tmp_path")


@pytest.mark.parametrize(
    "source",
    [
        "import os\n",
        "x = 1\n",
        "pytest_plugins = ['os']\n",
        "def helper():\n    return 1\n",
        "async def test_it():\n    assert 1\n",
        "print('at import')\n",
        "if True:\n    import os\n",
        "def test_it(request):\n    assert 1\n",
        "def test_it(capsys=open('x', 'w')):\n    assert 1\n",
        "import pytest\n\n\n@pytest.fixture\ndef test_it():\n    return 1\n",
        "import pytest\n\n\n@pytest.mark.skip\ndef test_it():\n    assert 1\n",
        "import pytest\n\n\n@pytest.mark.usefixtures('x')\ndef test_it():\n    assert 1\n",
        "import pytest\n\n\n@pytest.mark.parametrize('request', [1], indirect=True)\n"
        "def test_it(request):\n    assert 1\n",
        "import pytest\n\n\n@pytest.mark.parametrize('x', [eval('1')])\n"
        "def test_it(x):\n    assert x\n",
        "@(lambda f: f)\ndef test_it():\n    assert 1\n",
        "# coding: utf-7\ndef test_it():\n    assert 1\n",
        "#!/usr/bin/python\n# vim: set fileencoding=rot13 :\n",
        "def test_it(:\n",
        "def test_it():\n    assert " + "(" * 300 + ")" * 300 + "\n",
        "def test_it():\n    '\0'\n",
    ],
)
def test_files_with_more_than_plain_tests_are_refused(source: str) -> None:
    assert forbidden(source, NAME)


def test_reasons_name_the_line() -> None:
    assert in_test("assert 1 < 2\nexec('x')") == ("line 8: uses exec",)


def test_a_project_named_like_a_dangerous_module_gives_no_way_to_it() -> None:
    assert forbidden("from os import system\n", "os")
    assert forbidden("from builtins import exec\n", "builtins.x")
