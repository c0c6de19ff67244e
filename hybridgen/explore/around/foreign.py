"""What other programs and machines answer, as source text of values to put in their place."""

from __future__ import annotations

import ast
import json
import random
import re
from collections.abc import Callable, Sequence

from hybridgen.explore.around import world
from hybridgen.explore.values.files import content

TEXT_MODE = frozenset({"text", "universal_newlines", "encoding"})
MOCK = "MagicMock()"

_OF_PAGE = {
    "status": "{status}",
    "code": "{status}",
    "getcode": "lambda: {status}",
    "reason": "{reason}",
    "msg": "{reason}",
    "headers": "{headers}",
    "info": "lambda: {headers}",
    "getheader": "lambda name, default=None: default",
    "url": "'https://example.com'",
    "geturl": "lambda: 'https://example.com'",
}
"""What ``urlopen`` gives besides bytes to read."""

_REASONS = {200: "'OK'", 404: "'Not Found'"}

_ALWAYS = {"url": "'https://example.com'", "encoding": "'utf-8'", "cookies": "{}", "history": "[]"}
_OF_RESPONSE: dict[bool, dict[str, str]] = {
    True: {"reason": _REASONS[200], "is_success": "True", "is_error": "False", **_ALWAYS},
    False: {"reason": _REASONS[404], "is_success": "False", "is_error": "True", **_ALWAYS},
}
"""What else a response tells, by whether all went well; given where the code asks for it."""


def outside_values(
    call: ast.Call,
    full: str,
    source: str,
    literals: Sequence[str],
    full_name: Callable[[str], str],
) -> list[str]:
    """Values for the function ``full``, best first.

    Args:
        call: where the code calls it.
        source: the code around, by which answers are guessed: what it parses, what it catches.
        literals: of that code.
        full_name: gives the full name of what the code writes shortly.
    """
    is_text = any(item.arg in TEXT_MODE for item in call.keywords)
    answers = _answers(source, literals)
    shown = [repr(text if is_text else text.encode()) for text in answers]
    empty = repr("" if is_text else b"")
    head = "lambda *args, **kwargs: "
    values: list[str] = []
    if full == "subprocess.run":
        done = "CompletedProcess(args, {}, stdout={}, stderr={})"
        values = [head + done.format(0, text, empty) for text in shown]
        values.insert(1, head + done.format(1, empty, shown[1]))
    elif full == "subprocess.check_output":
        values = [head + text for text in shown]
    elif full == "subprocess.getoutput":
        values = [head + repr(text) for text in answers]
    elif full == "subprocess.getstatusoutput":
        values = [f"{head}({code}, {text!r})" for text in answers[:4] for code in (0, 1)]
    elif full in ("subprocess.call", "subprocess.check_call", "os.system"):
        values = [head + code for code in ("0", "1")]
    elif full == "subprocess.Popen":
        values = [_process(code, text, empty) for text in shown[:6] for code in (0, 1)]
    elif full == "os.popen":
        values = [f"{head}io.StringIO({text!r})" for text in answers]
    elif full == "urllib.request.urlopen":
        values = [head + text for text in _pages(answers, source)]
    elif full.startswith(("requests.", "httpx.")) and full.count(".") == 1:
        values = [_response(text, status, source) for text in answers[:8] for status in (200, 404)]
    failures = _failures(source, full_name)
    return [*(values or [MOCK]), *(f"MagicMock(side_effect={failure})" for failure in failures)]


def _answers(source: str, literals: Sequence[str]) -> list[str]:
    """Texts that may come from outside: JSON where the code reads some, else lines."""
    chooser = random.Random(1)
    texts = [content(literals, chooser) for _ in range(16)] if "json" in source else []
    return list(dict.fromkeys((*texts, *world.OUTPUTS)))[:14]


def _process(code: int, text: str, empty: str) -> str:
    error = empty if code == 0 else text
    return (
        f"MagicMock(return_value=SimpleNamespace(returncode={code}, "
        f"communicate=lambda *args, **kwargs: ({text}, {error}), wait=lambda *args: {code}, "
        f"poll=lambda: {code}))"
    )


def _pages(answers: Sequence[str], source: str) -> list[str]:
    """What ``urlopen`` gives: bytes to read, and status and headers where the code asks for any.

    No test asserts on the library's own class, so a plain buffer does wherever it can.
    """
    asked = _asked(source)
    if not asked & {*_OF_PAGE}:
        return [f"io.BytesIO({text.encode()!r})" for text in answers]
    is_entered = re.search(r"with [^\n]*\burlopen\(", source) is not None
    headers = "{}"
    if "get_content_charset" in asked:
        headers = "SimpleNamespace(get_content_charset=lambda *args: 'utf-8')"
    pages = []
    for text, status in (*((text, 200) for text in answers), ("", 404)):
        told = {
            name: value.format(status=status, headers=headers, reason=_REASONS[status])
            for name, value in _OF_PAGE.items()
            if name in asked
        }
        told["read"] = f"lambda *args: {text.encode()!r}"
        if "close" in asked:
            told["close"] = "lambda: None"
        page = f"SimpleNamespace({', '.join(f'{name}={value}' for name, value in told.items())})"
        pages.append(f"nullcontext({page})" if is_entered else page)
    return [pages[0], pages[-1], *pages[1:-1]]


def _asked(source: str) -> set[str]:
    """Names of all attributes that the code reads."""
    return {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}


def _response(text: str, status: int, source: str) -> str:
    parts = [f"status_code={status}", f"ok={status == 200}", f"text={text!r}"]
    parts += [f"content={text.encode()!r}", "headers={}", "raise_for_status=lambda: None"]
    try:
        parts.append(f"json=lambda: {json.loads(text)!r}")
    except ValueError:
        parts.append("json=lambda: {}")
    further = _OF_RESPONSE[status == 200]
    asked = _asked(source)
    parts += [f"{name}={value}" for name, value in further.items() if name in asked]
    return f"lambda *args, **kwargs: SimpleNamespace({', '.join(parts)})"


def _failures(source: str, full_name: Callable[[str], str]) -> list[str]:
    """Exceptions that the code has handlers for."""
    found: dict[str, None] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            for kind in kinds:
                name = full_name(ast.unparse(kind)) if kind is not None else "Exception"
                if name in world.FAILURES:
                    found[world.FAILURES[name]] = None
    return list(found)
