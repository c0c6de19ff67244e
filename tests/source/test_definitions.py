from __future__ import annotations

import ast
import textwrap

import pytest

from hybridgen.domain import Label, Target, TargetKind


@pytest.fixture
def targets(read):
    def run(source: str) -> dict[str, Target]:
        return {t.qualname: t for t in read(textwrap.dedent(source)).targets}

    return run


def test_targets_come_in_source_order_with_methods_after_their_class(targets) -> None:
    found = targets(
        """
        def first(): ...
        class A:
            def __init__(self): ...
            def m(self):
                def nested(): ...
            class Meta:
                def hidden(self): ...
            async def n(self): ...
            def __len__(self): return 0
        async def last():
            class Local: ...
        """
    )
    assert [(name, str(t.kind), t.is_async) for name, t in found.items()] == [
        ("first", "function", False),
        ("A", "class", False),
        ("A.m", "method", False),
        ("A.n", "method", True),
        ("A.__len__", "method", False),
        ("last", "function", True),
    ]
    assert all(t.label is Label.CONFIDENTIAL for t in found.values())


def test_signature_is_kept_as_source_text(targets) -> None:
    target = targets(
        '''
        def f(a, b: "int" = 1 + 1, /, c: A | None = None, *rest: int, d, e=(), **kw) -> A[B]:
            """Say what.

                Indented.
            Back.
            """
        '''
    )["f"]
    assert [(p.name, str(p.kind), p.annotation, p.default) for p in target.parameters] == [
        ("a", "positional-only", None, None),
        ("b", "positional-only", "'int'", "1 + 1"),
        ("c", "positional-or-keyword", "A | None", "None"),
        ("rest", "var-positional", "int", None),
        ("d", "keyword-only", None, None),
        ("e", "keyword-only", None, "()"),
        ("kw", "var-keyword", None, None),
    ]
    assert target.returns == "A[B]"
    assert target.docstring == "Say what.\n\n    Indented.\nBack."


def test_binding_follows_the_decorators(targets) -> None:
    found = targets(
        """
        class A:
            def plain(self, x): ...
            @staticmethod
            def static(x): ...
            @classmethod
            def made(cls, x): ...
            @property
            def total(self): ...
            @functools.cached_property
            def cached(self): ...
            @wraps(f)
            def wrapped(self, x): ...
            def __class_getitem__(cls, x): ...
        """
    )
    assert {
        t.name: (t.binding, [p.name for p in t.parameters])
        for t in found.values()
        if t.kind is TargetKind.METHOD
    } == {
        "plain": ("instance", ["x"]),
        "static": ("static", ["x"]),
        "made": ("class", ["x"]),
        "total": ("property", []),
        "cached": ("property", []),
        "wrapped": ("instance", ["x"]),
        "__class_getitem__": ("class", ["x"]),
    }
    assert found["A.wrapped"].decorators == ("wraps(f)",)


def test_lines_begin_with_the_first_decorator(targets) -> None:
    target = targets("import x\n@x.a\n@x.b(\n    1\n)\ndef f():\n    return 1\nZ = 1\n")["f"]
    assert (target.first_line, target.last_line) == (2, 7)
    assert target.source.startswith("@x.a\n@x.b(")


def test_property_with_its_setter_is_one_target(targets) -> None:
    found = targets(
        """
        class A:
            @property
            def x(self):
                return self._x
            @x.setter
            def x(self, value):
                self._x = value
            def other(self): ...
        """
    )
    assert list(found) == ["A", "A.x", "A.other"]
    assert found["A.x"].parameters == ()
    assert found["A.x"].source.endswith("self._x = value")


def test_setter_far_from_its_property_does_not_swallow_what_is_between(targets) -> None:
    found = targets(
        """
        class A:
            @property
            def x(self): return 1
            def other(self): ...
            @x.setter
            def x(self, value): ...
        """
    )
    assert list(found) == ["A", "A.x", "A.other"]
    assert found["A.x"].last_line == 4


def test_overloads_and_registered_variants_are_no_targets(targets) -> None:
    found = targets(
        """
        @overload
        def f(x: int) -> int: ...
        @typing.overload
        def f(x: str) -> str: ...
        def f(x): return x
        @singledispatch
        def g(x): ...
        @g.register
        def _(x: int): ...
        """
    )
    assert [(t.qualname, t.first_line) for t in found.values()] == [("f", 6), ("g", 7)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if sys.version_info > (3, 12):\n    def f(): ...\nelse:\n    def f(): ...\n", [("f", 2)]),
        ("try:\n    from fast import f\nexcept ImportError:\n    def f(): ...\n", [("f", 4)]),
        ("try:\n    def f(): ...\nexcept E:\n    def f(): ...\n    def g(): ...\n",
         [("f", 2), ("g", 5)]),
        ("if TYPE_CHECKING:\n    def f(): ...\nelse:\n    def f(): ...\n", [("f", 4)]),
        ("if not typing.TYPE_CHECKING:\n    def f(): ...\n", [("f", 2)]),
        ("def f(): ...\nif __name__ == '__main__':\n    def main(): ...\n", [("f", 1)]),
        ("def f(): ...\ndef f(x): ...\n", [("f", 2)]),
        ("with a:\n    for b in c:\n        def f(): ...\n", [("f", 3)]),
        ("match x:\n    case 1:\n        class A: ...\n", [("A", 3)]),
        ("class A:\n    if x:\n        def f(self): ...\n", [("A", 1), ("A.f", 3)]),
    ],
)  # fmt: skip
def test_conditional_definitions_are_found_once(targets, source, expected) -> None:
    assert [(t.qualname, t.first_line) for t in targets(source).values()] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class A:\n def __init__(self, x, *, y=1): ...", "x y=1*"),
        ("class A:\n def __new__(cls, x): ...", "x"),
        ("class A: ...", ""),
        ("@dataclass\nclass A:\n x: int\n y: list = field(default_factory=list)\n"
         " z: ClassVar[int] = 1\n w: int = field(init=False)\n v: int = field(default=3)",
         "x y=list() v=3"),
        ("@dataclasses.dataclass(kw_only=True)\nclass A:\n x: int", "x*"),
        ("@dataclass\nclass A:\n x: int = 0\n _: KW_ONLY\n y: int = 1", "x=0 y=1*"),
        ("@dataclass\nclass A:\n x: int\n y: InitVar[int]\n def total(self): ...", "x y"),
        ("@dataclass\nclass A:\n x: 'ClassVar[int]' = 1\n y: str = 'a'", "y='a'"),
        ("@dataclass\nclass B:\n x: int\n@dataclass\nclass A(B):\n y: int\n x: int = 3", "x=3 y"),
        ("@dataclass\nclass B:\n x: int = field(kw_only=True)\n@dataclass\nclass A(B):\n y: int",
         "y x*"),
        ("@dataclass\nclass B:\n x: int\nclass A(B):\n y: int = 1", "x"),
        ("@dataclass(init=False)\nclass A:\n x: int", ""),
        ("@dataclass\nclass A:\n x: int\n def __init__(self, z): ...", "z"),
        ("class A(NamedTuple):\n x: int\n y: int = 2", "x y=2"),
        ("class A(namedtuple('A', 'x y')): ...", "x y"),
        ("class A(collections.namedtuple('A', ['x', 'y'])): ...", "x y"),
        ("class A(TypedDict):\n x: int", "x*"),
        ("class B(BaseModel):\n x: int\nclass A(B):\n y: int = Field(default=1)", "x* y=1*"),
        ("@attr.s\nclass A:\n x = attr.ib()\n _y = attr.ib(default=2)\n z = 3", "x y=2"),
        ("@attrs.define\nclass A:\n x: int\n y: list = attrs.field(factory=list)", "x y=list()"),
        ("@frozen\nclass A:\n x: int = field(init=False)\n y: int", "y"),
        ("class A(Enum):\n X = 1", "value"),
        ("class A(ValueError): ...", "*args"),
        ("class B:\n def __init__(self, x): ...\nclass A(B): ...", "x"),
        ("class A(A): ...", ""),
        ("class A:\n if x:\n  def __init__(self, y): ...", "y"),
        ("class A:\n @overload\n def __init__(self, x): ...\n def __init__(self, y): ...", "y"),
    ],
)  # fmt: skip
def test_class_parameters_are_what_making_an_instance_takes(targets, source, expected) -> None:
    shown = []
    for p in targets(source)["A"].parameters:
        star = {"keyword-only": "*"}.get(str(p.kind), "")
        prefix = "*" if p.kind == "var-positional" else ""
        shown.append(prefix + p.name + (f"={p.default}" if p.default else "") + star)
    assert " ".join(shown) == expected


def test_calls_name_definitions_of_the_module_in_source_order(targets) -> None:
    found = targets(
        """
        def a(): return len([b(), json.loads("1")])
        def b(x=default()): return b() or a()
        class Base:
            def inherited(self): return a()
            def shared(self): ...
        class C(Base):
            def __init__(self): self.m()
            def m(self): return [self.n(), self.inherited(), self.unknown(), C.n(self), C()]
            def n(self): return super().shared()
            @classmethod
            def make(cls): return cls.m(cls())
        def default(): return C().m()
        """
    )
    assert {name: t.calls for name, t in found.items() if t.calls} == {
        "a": ("b",),
        "b": ("a",),
        "Base": ("a",),
        "Base.inherited": ("a",),
        "C": ("C.m", "C.n", "Base.inherited", "Base.shared"),
        "C.m": ("C.n", "Base.inherited", "C"),
        "C.n": ("Base.shared",),
        "C.make": ("C.m",),
        "default": ("C",),
    }


def test_raises_names_classes_and_not_variables(targets) -> None:
    target = targets(
        """
        def f(x):
            try:
                raise ValueError("no")
            except ValueError as error:
                raise errors.TooLate from error
            except KeyError as error:
                raise
            except OSError as error:
                raise error
            raise ValueError
            raise make_error()
            raise _Private(x)
        """
    )["f"]
    assert target.raises == ("ValueError", "errors.TooLate", "_Private")


def test_bases_are_source_text(targets) -> None:
    found = targets("class A(Generic[T], abc.ABC, metaclass=M): ...")
    assert found["A"].bases == ("Generic[T]", "abc.ABC")


def test_dedented_source_keeps_the_values_of_strings(targets) -> None:
    source = (
        "class A:\n"
        "    def f(self):\n"
        '        """Doc\n'
        "        string.\n"
        '        """\n'
        '        return """\n'
        "    indented\n"
        'flush"""\n'
        "\n"
        "    # a comment\n"
    )
    method = targets(source)["A.f"]
    whole = ast.parse(source).body[0]
    assert isinstance(whole, ast.ClassDef)
    assert ast.dump(ast.parse(method.source).body[0]) == ast.dump(whole.body[0])
    assert method.source.startswith("def f(self):\n    ")
