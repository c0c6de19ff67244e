"""Finds the code in a model's answer: fences, prose, doctest prompts.

The answer is cut into segments of code text. Prose is not thrown away here: a small model
forgets fences and writes calls into its sentences, so everything goes on to
:mod:`hybridgen.post.salvage`, which keeps what parses, and names that nobody knows are dropped
later.
"""

from __future__ import annotations

import re

from hybridgen.post.syntax import parse, parse_expression, words

_LONGEST_TEXT = 60_000
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})\s*(?P<language>[\w+.-]*)(?P<rest>.*)")
_FOREIGN = words(
    "bash sh shell zsh console cmd powershell json yaml yml toml ini xml html diff sql"
)
_PROMPT = re.compile(r"^(?P<indent>\s*)>>>(?: (?P<code>.*))?$")
_CONTINUED = re.compile(r"^\s*\.\.\.(?: (?P<code>.*))?$")
_QUOTES = re.compile(r"\"{3}|'{3}")  # the end of a docstring
_RAISED = re.compile(r"^(?:\w+\.)*(?P<name>[A-Z]\w*)(?::|$)")


def code_segments(text: str) -> list[str]:
    """The segments of ``text`` that may hold code, in order, doctests turned into asserts."""
    text = text[:_LONGEST_TEXT].lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"[\x00\x0c\ud800-\udfff]", "", text)
    segments: list[list[str]] = [[]]
    is_fenced = is_foreign = False
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if fence is None:
            if not is_foreign:
                segments[-1].append(_without_late_fence(line) if is_fenced else line)
            continue
        # A fence that names a language always opens: models forget to close the one before.
        is_fenced = bool(fence["language"]) or not is_fenced
        is_foreign = is_fenced and fence["language"].lower() in _FOREIGN
        segments.append([fence["rest"].strip()] if is_fenced and not is_foreign else [])
    return ["\n".join(_without_prompts(lines)) for lines in segments if any(map(str.strip, lines))]


def _without_late_fence(line: str) -> str:
    """``line`` without a closing fence that was put on the last line of code."""
    return line[:-3] if line.endswith("```") else line


def _without_prompts(lines: list[str]) -> list[str]:
    """``lines`` with doctest examples replaced by plain statements and asserts."""
    if not any(_PROMPT.match(line) for line in lines) or parse("\n".join(lines)) is not None:
        return lines
    plain: list[str] = []
    position = 0
    while position < len(lines):
        prompt = _PROMPT.match(lines[position])
        position += 1
        if prompt is None:
            plain.append(lines[position - 1])
            continue
        code = [prompt["code"] or ""]
        while position < len(lines) and (more := _CONTINUED.match(lines[position])):
            code.append(more["code"] or "")
            position += 1
        expected: list[str] = []
        while position < len(lines) and lines[position].strip():
            if _PROMPT.match(lines[position]) or _QUOTES.search(lines[position]):
                break
            expected.append(lines[position].strip())
            position += 1
        plain.extend(_as_statement("\n".join(code).strip(), expected).split("\n"))
    return plain


def _as_statement(code: str, expected: list[str]) -> str:
    """One doctest example as a statement that says what is expected."""
    if expected and expected[0].startswith("Traceback"):
        raised = _RAISED.match(expected[-1])
        if raised and parse(code) is not None:
            body = code.replace("\n", "\n    ")
            return f"with pytest.raises({raised['name']}):\n    {body}"
    result = "\n".join(expected)
    if expected and parse_expression(code) and parse_expression(result):
        return code if code.startswith("print(") else f"assert ({code}) == ({result})"
    return code
