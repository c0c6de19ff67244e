from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridgen.domain import Interpreter, Project
from hybridgen.errors import SourceError
from hybridgen.reading import MAX_BYTES
from hybridgen.source import Selection, missing_fragments, read_module

CODE = "def greet():\n    return 'é'\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (CODE.encode(), "'é'"),
        (b"\xef\xbb\xbf" + CODE.encode(), "'é'"),
        (b"# -*- coding: latin-1 -*-\n" + CODE.encode("latin-1"), "'é'"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n" + CODE.encode("cp1252"), "'é'"),
        (CODE.replace("\n", "\r\n").encode(), "'é'"),
        (CODE.replace("\n", "\r").encode(), "'é'"),
    ],
    ids=["utf-8", "bom", "latin-1", "cp1252", "crlf", "cr"],
)
def test_text_is_decoded_as_python_does(read, data, expected) -> None:
    module = read(data)
    assert module.targets[0].source == f"def greet():\n    return {expected}"
    assert "\r" not in module.source.text
    assert not module.source.text.startswith("\ufeff")


def test_lines_count_as_in_python_with_form_feeds_and_separators(read) -> None:
    module = read("a = '\u2028'\n\f\ndef f():\n    return '\x0b\x1c'\n\fdef g():\n    return 2\n")
    assert [(t.qualname, t.first_line, t.last_line) for t in module.targets] == [
        ("f", 3, 4),
        ("g", 5, 6),
    ]
    assert module.targets[1].source == "def g():\n    return 2"


def test_tabs_are_kept(read) -> None:
    module = read("class A:\n\tdef f(self):\n\t\treturn 1\n")
    assert module.targets[1].source == "def f(self):\n\treturn 1"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"LIMIT = 3\n", "nothing to test"),
        (b"def f():\n    return = 1\n", "mod.py:2: syntax error"),
        (b"def f(:\n", "mod.py:1: syntax error"),
        (b"def f():\n\treturn 1\n        return 2\n", "mod.py:3: syntax error"),
        (b"print 'hello'\n", "mod.py:1: syntax error"),
        (b"\x7fELF\0\0\0def f(): pass", "binary"),
        ("def f(): pass".encode("utf-16"), "UTF-16"),
        (
            b"a = 1\nb = 2\nc = 3\nd = '\xe9'\n",
            "not UTF-8 and names no encoding (byte 0xe9 in line 4",
        ),
        (b"a = '\xe9'\n", "byte 0xe9 in line 1"),
        (b"# coding: klingon\n", "klingon"),
        (b"# coding: rot13\nqrs s(): cnff\n", "rot13"),
        (b"# coding: ascii\na = 1\nb = 2\nc = '\xe9'\n", "ascii"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "encoding problem"),
        (b"x = " + b"-" * 20000 + b"1\n", "mod.py"),
        (b"def f(): pass\nx = " + b"+".join([b"1"] * 20000) + b"\n", "mod.py"),
        (b"# coding: unicode_escape\ndef f(): return '\\ud800'\n", "mod.py"),
        (b"#" * (MAX_BYTES + 1), "larger than"),
    ],
    ids=[
        *("empty", "blank", "no-definition", "syntax", "cut-off", "mixed-tabs", "python-2", "elf"),
        *("utf-16", "latin-1", "latin-1-first-line", "unknown-codec", "no-text-codec", "not-ascii"),
        *("bom-and-cookie", "deep-minus", "deep-plus", "surrogate", "huge"),
    ],
)
def test_unusable_file_says_what_is_wrong_and_where(read, data, message) -> None:
    with pytest.raises(SourceError) as caught:
        read(data)
    assert message in str(caught.value)
    assert caught.value.exit_code == 1


def test_invalid_escapes_in_the_code_cause_no_warning_of_ours(read) -> None:
    assert read("def f():\n    return '\\d'\n").targets


def test_missing_file_is_a_source_error(make) -> None:
    root = make({"pyproject.toml": ""})
    with pytest.raises(SourceError, match=r"gone\.py: cannot be found"):
        read_module(Selection(root / "gone.py", None), project_at(root))


def test_link_out_of_the_project_is_not_followed(make) -> None:
    root = make({"pyproject.toml": ""})
    other = make({"secret.py": CODE}, folder="other")
    (root / "mod.py").symlink_to(other / "secret.py")
    (root / "linked").symlink_to(other)
    for name in ("mod.py", "linked/secret.py"):
        with pytest.raises(SourceError, match="no link is followed out of a project"):
            read_module(Selection(root / name, None), project_at(root))


def test_link_inside_the_project_is_read_as_the_file_it_means(make) -> None:
    root = make({"pyproject.toml": "", "real.py": CODE})
    (root / "mod.py").symlink_to("real.py")
    assert read_module(Selection(root / "mod.py", None), project_at(root)).path == root / "real.py"


def test_project_below_a_linked_folder_is_read(make, tmp_path: Path) -> None:
    root = make({"pyproject.toml": "", "mod.py": CODE})
    (tmp_path / "alias").symlink_to(root)
    module = read_module(Selection(tmp_path / "alias" / "mod.py", None), project_at(root))
    assert module.path == root / "mod.py"


def test_pipe_with_a_python_name_does_not_hang(make) -> None:
    root = make({"pyproject.toml": ""})
    os.mkfifo(root / "mod.py")
    with pytest.raises(SourceError, match="not a regular file"):
        read_module(Selection(root / "mod.py", None), project_at(root))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_the_right_to_read_is_a_source_error(make) -> None:
    root = make({"pyproject.toml": "", "mod.py": CODE})
    (root / "mod.py").chmod(0)
    with pytest.raises(SourceError, match=r"mod\.py: cannot be read: Permission denied"):
        read_module(Selection(root / "mod.py", None), project_at(root))


def test_folder_with_a_python_name_is_a_source_error(make) -> None:
    root = make({"mod.py/inner.txt": ""})
    with pytest.raises(SourceError, match="not a regular file"):
        read_module(Selection(root / "mod.py", None), project_at(root))


PIECES = st.sampled_from(
    [
        "def f(a, *, b=1): return a",
        "async def g(x: int) -> str: ...",
        "class A(B):",
        "    x: int = field(default=1)",
        "    def m(self): return self.m()",
        "    @property",
        "    @x.setter",
        "@dataclass",
        "if TYPE_CHECKING:",
        "    import os",
        "from . import *",
        "X = [1, 2, {3: 4}]",
        "try:",
        "except E as e: raise e",
        "match x:",
        "    case [A(b=1), *rest]: pass",
        "x = '''",
        "\f",
        "\t",
        "#é",
        "# coding: latin-1",
        "lambda: (yield)",
    ]
)
SOURCES = st.one_of(
    st.binary(max_size=200),
    st.lists(PIECES, max_size=12).map(lambda lines: "\n".join(lines).encode()),
    st.tuples(
        st.sampled_from(
            ["utf-7", "utf-16", "unicode_escape", "punycode", "idna", "undefined", "hex"]
        ),
        st.binary(max_size=60),
    ).map(lambda pair: f"# coding: {pair[0]}\ndef f(): pass\n".encode() + pair[1]),
)


@settings(max_examples=300, deadline=None)
@given(SOURCES)
def test_any_bytes_give_a_module_or_a_source_error(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "mod.py").write_bytes(data)
        try:
            module = read_module(Selection(root / "mod.py", None), project_at(root))
        except SourceError as error:
            assert "mod.py" in error.message
            return
        for target in module.targets:
            missing_fragments(module, target, range(target.first_line, target.last_line + 1))


def project_at(root: Path) -> Project:
    return Project(root, Interpreter(Path("/usr/bin/python3"), "test", ()), root / "tests", ())
