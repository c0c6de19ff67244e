"""What a test may change of the world, and what it may take from a module that borrowed it."""

from __future__ import annotations

import pytest

from hybridgen.suite import forbidden

NAME = "shop.tasks"
HEAD = (
    "import asyncio\nimport io\nimport random\nimport runpy\nimport sys\nimport pytest\n"
    "from datetime import datetime\nfrom subprocess import CompletedProcess\n"
    "from unittest.mock import MagicMock\nfrom shop.tasks import run\n\n\n"
)
PARAMETERS = "tmp_path, monkeypatch, caplog, capsys"
USES = (
    "\n    monkeypatch.delitem(sys.modules, 'shop.tasks')"
    "\n    runpy.run_module('shop.tasks', run_name='__main__')\n"
)


def in_test(body: str) -> tuple[str, ...]:
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return forbidden(f"{HEAD}def test_it({PARAMETERS}):\n{lines}{USES}", NAME)


@pytest.mark.parametrize(
    "body",
    [
        "monkeypatch.setenv('SHOP_TOKEN', 'abc')\nassert run() == 'abc'",
        "monkeypatch.setenv('HOME', str(tmp_path))",
        "monkeypatch.delenv('SHOP_TOKEN', raising=False)",
        "monkeypatch.setattr('sys.argv', ['program', '--help'])",
        "monkeypatch.setattr('sys.stdin', io.StringIO('yes'))",
        "monkeypatch.chdir(tmp_path)",
        "monkeypatch.setattr('shop.tasks.time.time', lambda: 1000.0)",
        "monkeypatch.setattr('shop.tasks.os.system', lambda *args, **kwargs: 0)",
        "done = CompletedProcess([], 0, stdout='', stderr='')\n"
        "monkeypatch.setattr('shop.tasks.subprocess.run', lambda *args, **kwargs: done)",
        "monkeypatch.setattr('shop.tasks.connect', MagicMock(side_effect=OSError('down')))",
        "class FixedDatetime(datetime):\n    @classmethod\n    def now(cls, tz=None):\n"
        "        return datetime(2024, 2, 29, tzinfo=tz)\n"
        "monkeypatch.setattr('shop.tasks.datetime', FixedDatetime)",
        "class Reader:\n    size = 3\n    def __enter__(self):\n        return self\n"
        "    def __exit__(self, *error):\n        return None\nassert run(Reader()) == 3",
        "random.seed(1)\nassert run() == 2",
        "async def collect():\n    return [item async for item in run()]\n"
        "assert asyncio.run(collect()) == [1]",
        "run()\nassert caplog.messages == ['late']\ncaplog.clear()",
    ],
)
def test_prepared_worlds_are_allowed(body: str) -> None:
    assert in_test(body) == ()


@pytest.mark.parametrize(
    "body",
    [
        "monkeypatch.setattr('os.environ', {})",
        "monkeypatch.setattr('shop.other.LIMIT', 1)",
        "monkeypatch.setattr('shop.tasks.__builtins__', {})",
        "monkeypatch.setattr('shop.tasks.sys.path', ['/tmp'])",
        "monkeypatch.setattr('shop.tasks.sys.modules', {})",
        "monkeypatch.setattr('shop.tasks.' + 'run', 1)",
        "monkeypatch.setattr(run, 'name', 1)",
        "monkeypatch.setattr(target='shop.tasks.run', name=1)",
        "monkeypatch.setattr('shop.tasks.run', eval)",
        "monkeypatch.setenv('PATH', '/tmp')",
        "monkeypatch.setenv('LD_PRELOAD', 'x.so')",
        "monkeypatch.setenv('pythonpath', '/tmp')",
        "monkeypatch.setenv('HTTPS_PROXY', 'http://example.com')",
        "monkeypatch.setenv('HOME', '/root')",
        "monkeypatch.setenv('A=B', 'x')",
        "monkeypatch.setenv(run(), 'x')",
        "monkeypatch.setenv('A', run())",
        "monkeypatch.chdir('/')",
        "monkeypatch.chdir(tmp_path / '..')",
        "monkeypatch.syspath_prepend('/tmp')",
        "monkeypatch.setitem(sys.modules, 'os', None)",
        "monkeypatch.delitem(sys.modules, 'os')",
        "monkeypatch.undo()",
        "with monkeypatch.context() as patch:\n    patch.setenv('PATH', 'x')",
        "run(monkeypatch)",
        "patch = monkeypatch\npatch.setenv('PATH', 'x')",
        "monkeypatch = run()\nmonkeypatch.setenv('A', 'x')",
        "runpy.run_module('shop.other', run_name='__main__')",
        "runpy.run_module('shop.tasks', run_name='shop')",
        "runpy.run_path('x.py')",
        "start = runpy.run_module",
        "sys.modules['os'].system('true')",
        "sys.exit(1)",
        "run(sys)",
        "run('os.system')",
        "caplog.handler.setStream(run())",
        "run(caplog)",
        "class A(metaclass=run):\n    pass",
        "@print\nclass A:\n    pass",
        "class A:\n    def __reduce__(self):\n        return 1",
        "class A:\n    def __del__(self):\n        return 1",
        "class A:\n    __class_getitem__ = run",
        "class A:\n    import os",
        "class A:\n    run('x')",
        "class A:\n    eval = 1\n    def f(self):\n        return eval('1')\nA().f()",
        "def inner():\n    class eval:\n        pass\neval('1')",
    ],
)
def test_other_changes_are_refused(body: str) -> None:
    assert in_test(body)


@pytest.mark.parametrize("line", ["import sys", "import runpy", "import runpy as r", "import sys"])
def test_imports_for_one_call_are_refused_without_it(line: str) -> None:
    assert forbidden(f"{line}\n\n\ndef test_it():\n    assert 1\n", NAME)


@pytest.mark.parametrize(
    "source",
    [
        "from os import system as Zap",
        "try:\n    from os import system as Zap\nexcept ImportError:\n    Zap = None",
        "import os\nZap = os.system",
        "import os as o\nhidden = o\nZap = hidden.system",
        "if True:\n    import os as Zap",
        "import os.path\nZap: object = os.system",
        "class Zap:\n    pass\nfrom subprocess import Popen as Zap",
        "from functools import singledispatch as Zap",
    ],
)
def test_borrowed_functions_are_judged_by_where_they_come_from(source: str) -> None:
    test = "from shop.tasks import Zap\n\n\ndef test_it():\n    assert Zap('true') == 0\n"
    assert forbidden(test, NAME, source)
    assert forbidden(test, NAME) == ()


@pytest.mark.parametrize(
    "source",
    [
        "class Zap:\n    pass",
        "from datetime import date as Zap",
        "import collections\nZap = collections.OrderedDict",
        "from json import JSONDecodeError as Zap",
        "from shop.other import Zap",
        "from elsewhere import Zap",
        "Zap = make()",
    ],
)
def test_own_names_and_listed_ones_are_allowed(source: str) -> None:
    test = "from shop.tasks import Zap\n\n\ndef test_it():\n    assert Zap('true') == 0\n"
    assert forbidden(test, NAME, source) == ()


SAMPLE_HEAD = (
    "import asyncio\nimport json\nimport pytest\n"
    "from shop.tasks import Base, Bounded, cached, memoize, register\n\n\n"
)


def in_sample(body: str) -> tuple[str, ...]:
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return forbidden(f"{SAMPLE_HEAD}def test_it():\n{lines}\n", NAME)


@pytest.mark.parametrize(
    "body",
    [
        "class Sample:\n    @cached('x')\n    def value(self):\n        return 1\n"
        "sample = Sample()\nassert sample.value == 1\nassert sample.value == 1",
        "class Sample:\n    value = Bounded(0, 9)\nsample = Sample()\nsample.value = 3\n"
        "assert Sample.value.low == 0\ndel sample.value",
        "class Sample:\n    calls = 0\n\n    @memoize\n    async def method(self, x):\n"
        "        self.calls += 1\n        return x\n"
        "sample = Sample()\nassert asyncio.run(sample.method(1)) == 1\nassert sample.calls == 1",
        "@register('a')\nclass Sample:\n    value: int = 1\n\n"
        "    def __init__(self, value=1):\n        self.value = value\n\n"
        "    def __lt__(self, other):\n        return self.value < other.value\n"
        "assert Sample(1) < Sample(2)",
        "class Sample(Base, key='a'):\n    def row(self):\n        return []\n"
        "assert Sample().export() == ''",
        "@memoize\ndef sample(x):\n    yield x\nassert list(sample(1)) == [1]",
        "with pytest.raises(TypeError, match='twice'):\n\n    class Sample(Base):\n        pass",
    ],
)
def test_a_small_class_may_use_decorators_and_bases_of_the_module_under_test(body: str) -> None:
    assert in_sample(body) == ()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("@json.dumps\nclass A:\n    pass", "decorator of another module"),
        ("@print\nclass A:\n    pass", "decorator of another module"),
        ("@(lambda kind: kind)\nclass A:\n    pass", "decorator of another module"),
        ("mark = json.dumps\n@mark\nclass A:\n    pass", "decorator of another module"),
        ("register = print\n@register\nclass A:\n    pass", "decorator of another module"),
        ("@exec\nclass A:\n    pass", "uses exec"),
        ("@register('os.system')\nclass A:\n    pass", "text with os.system"),
        ("@register(exec)\nclass A:\n    pass", "uses exec"),
        ("class A(type('B', (), {})):\n    pass", "computed base"),
        ("class A(memoize()):\n    pass", "computed base"),
        ("class A(eval):\n    pass", "uses eval"),
        ("class A(Base.__subclasses__):\n    pass", "attribute __subclasses__"),
        ("class A(Base, metaclass=register):\n    pass", "metaclass"),
        ("class A(Base, **{'metaclass': register}):\n    pass", "metaclass"),
        ("class A(Base, key=exec):\n    pass", "uses exec"),
        ("class A:\n    __slots__: list = []", "unusual code"),
        ("class A:\n    __getattr__ = memoize", "unusual code"),
        ("class A:\n    x: exec('1') = 1", "uses exec"),
        ("class A:\n    x = y = exec", "uses exec"),
        ("class A:\n    value = Bounded(open('x'))", "uses open"),
        ("class A:\n    @exec\n    def f(self):\n        return 1", "uses exec"),
        ("class A:\n    @cached('a')\n    def __del__(self):\n        return 1", "__del__"),
        ("class A:\n    def __init_subclass__(cls):\n        return 1", "__init_subclass__"),
        ("class A:\n    def __set_name__(self, a, b):\n        return 1", "__set_name__"),
        ("class A:\n    def __getattr__(self, name):\n        return 1", "__getattr__"),
        ("class A:\n    def __import__(self):\n        return 1\n__import__('x')", "__import__"),
        ("class A:\n    def exec(self):\n        return 1\nexec('x')", "binds exec"),
        ("@eval\ndef inner():\n    return 1", "uses eval"),
        ("Base.open = 1", "changes the module under test"),
    ],
)
def test_a_class_in_a_test_is_no_way_around(body: str, why: str) -> None:
    assert any(why in reason for reason in in_sample(body)), in_sample(body)
