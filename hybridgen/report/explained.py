"""Where files may go and why, for people and for programs.

::

    /home/ann/shop: 14 files

       3 public        Google Gemini, else the model on this machine
       2 internal      the model on this machine
       9 confidential  the model on this machine

    Google Gemini
      https://generativelanguage.googleapis.com, model gemini-flash-latest, by google-genai
      terms paid: Google does not improve products with it, and ...
      as said in Gemini API Additional Terms of Service; ...
    the server in the building
      not asked: onprem.url is not set

    public        src/shop/money.py  marked public by /src/shop/money.py in user file ...
    confidential  src/shop/cart.py   not marked, so confidential
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from hybridgen.domain import Evidence, Fragment, Label, Prompt, strictest
from hybridgen.domain.explanations import (
    ExplainedFile,
    ExplainedPrompt,
    Explanation,
    Receiver,
    Way,
)
from hybridgen.report.objections import gate_document, gate_lines, refused_part
from hybridgen.report.terms import pages_of, terms_line, use_of
from hybridgen.report.visible import one_line, visible

SCHEMA_VERSION: Final = 1

_LABEL_WIDTH: Final = len("confidential")
_WIDEST_PATH: Final = 48
_TITLES: Final = {
    "system": "instructions",
    "context": "context",
    "request": "request",
    "answer": "start of the answer",
}
_UNTRUSTED: Final = "untrusted mark"
_MOST_NAMED: Final = 3
_MAY_STAY: Final = (
    "prompts know nothing of what is stricter, and where the code does not run without it, they "
    "stay on this machine (context = raise)"
)
_UNCHECKED: Final = (
    "secrets, and copies of what is stricter, are looked for in the prompts of one file: "
    "hybridgen explain FILE"
)
_NOT_IN_PROMPTS: Final = (
    "Made from source alone. A run adds lines that nothing has reached yet, with the label of "
    "what the code under test could read."
)


def as_lines(explanation: Explanation) -> str:
    """``explanation`` for people: a summary and a table for a folder, else file by file."""
    blocks = [_summary(explanation)] if explanation.is_folder else []
    if not explanation.is_folder:
        blocks += [_block(item, explanation) for item in explanation.files]
    blocks.append([line for one in explanation.receivers for line in _receiver(one, explanation)])
    if explanation.is_folder:
        blocks.append(_table(explanation))
    if explanation.shows_prompts:
        prompts = [block for item in explanation.files for block in _prompts(item, explanation)]
        blocks += [*prompts, [_NOT_IN_PROMPTS]] if prompts else []
    return visible("\n\n".join("\n".join(block) for block in blocks if block))


def as_json(explanation: Explanation) -> str:
    """``explanation`` as one JSON document; it holds source text only where prompts are asked."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "label": strictest(_labels_told(explanation)).name.lower(),
        "root": str(explanation.root),
        "counts": {label.name.lower(): count for label, count in _counts(explanation)},
        "ways": {
            label.name.lower(): {"steps": list(way.steps), "why": way.why}
            for label, way in explanation.ways.items()
        },
        "receivers": {item.backend: _receiver_document(item) for item in explanation.receivers},
        "files": [_file_document(item, explanation) for item in explanation.files],
    }
    return json.dumps(document, indent=2)


def _labels_told(explanation: Explanation) -> Iterator[Label]:
    """The labels of all that is told: names and places of other files too."""
    for item in explanation.files:
        yield item.file.label
        yield from (file.label for file in item.stricter)
        yield from (one.objection.label for one in item.prompts if one.objection is not None)


def _counts(explanation: Explanation) -> list[tuple[Label, int]]:
    counts = Counter(item.file.label for item in explanation.files)
    return [(label, counts[label]) for label in Label]


def _summary(explanation: Explanation) -> list[str]:
    number = len(explanation.files)
    lines = [f"{explanation.root}: {number} {'file' if number == 1 else 'files'}", ""]
    width = max(4, len(str(number)))
    for label, count in _counts(explanation):
        readers = _readers(explanation.ways[label])
        lines.append(f"{count:{width}} {label.name.lower():{_LABEL_WIDTH}}  {readers}")
    untrusted = sum(item.needs_trust for item in explanation.files)
    staying = sum(bool(item.stricter or item.packages) for item in explanation.files)
    is_unchecked = not explanation.shows_prompts and any(
        set(explanation.ways[item.file.label].steps) - {"local"} for item in explanation.files
    )
    if untrusted or staying or is_unchecked:
        lines.append("")
    if untrusted:
        lines.append(f"{untrusted} with marks of the project's own that need: hybridgen trust")
    if staying:
        lines.append(f"{staying} importing what is stricter: {_MAY_STAY}")
    if is_unchecked:
        lines.append(_UNCHECKED)
    return lines


def _readers(way: Way) -> str:
    return ", else ".join(way.readers) or f"refused: {way.why}"


def _block(item: ExplainedFile, explanation: Explanation) -> list[str]:
    """One file with all that speaks for its label."""
    source = item.file
    way = explanation.ways[source.label]
    lines = [
        f"{source.path}: {source.label.name.lower()}{refused_part(item.prompts)}",
        f"  read by   {_readers(way)}",
    ]
    if item.asked_as:
        lines.insert(1, f"  asked as  {one_line(item.asked_as)}, a link that leads to it")
    if way.readers:
        lines.append(f"  because   {way.why}")
    elif way.hint:
        lines.append(f"            {way.hint}")
    if item.stricter or item.packages:
        lines.append(f"  but       {_imports(item)}: {_MAY_STAY}")
    if item.packages:
        lines.append(f"            {_name_them(item)}")
    if item.problem is not None and not explanation.shows_prompts:
        lines.append(f"  but       there is no prompt to send: {one_line(item.problem)}")
    lines += gate_lines(item.prompts)
    for index, evidence in enumerate(source.evidence):
        head = "evidence" if index == 0 else ""
        label = evidence.label.name.lower()
        lines.append(f"  {head:8}  {label:{_LABEL_WIDTH}}  {_said(evidence, explanation)}")
    return lines


def _imports(item: ExplainedFile) -> str:
    """The stricter files and packages that it imports, the first few by name."""
    named = [
        f"{one_line(file.path)}, which is {file.label.name.lower()}"
        for file in item.stricter[:_MOST_NAMED]
    ]
    named += [f"the package {one_line(name)}" for name in item.packages][: _MOST_NAMED - len(named)]
    more = len(item.stricter) + len(item.packages) - len(named)
    return "it imports " + ", and ".join([*named, *([f"{more} more"] if more else [])])


def _name_them(item: ExplainedFile) -> str:
    """What to do where installed packages keep prompts here."""
    names = ", ".join(f'"{one_line(name)}"' for name in item.packages)
    key = f"labels.packages_{item.file.label.name.lower()}"
    return f"packages that may be read as this file may: {key} = [{names}] in your own settings"


def _said(evidence: Evidence, explanation: Explanation) -> str:
    return f"{_detail(evidence, explanation)} ({evidence.rule})"


def _detail(evidence: Evidence, explanation: Explanation) -> str:
    """What was found, with places in the project as its files are named."""
    return one_line(evidence.detail.replace(f"{explanation.root}/", ""))


def _receiver(receiver: Receiver, explanation: Explanation) -> Iterator[str]:
    yield receiver.name
    destination = receiver.destination
    if destination is None:
        yield f"  not asked: {one_line(receiver.why_not)}"
        return
    labels = {item.file.label for item in explanation.files}
    labels |= {one.prompt.label for item in explanation.files for one in item.prompts}
    if not any(receiver.backend in explanation.ways[label].steps for label in labels):
        yield f"  not asked: {_none_for_it(labels, explanation)}"
        return
    plain = ", not encrypted on its way" if urlsplit(destination.url).scheme == "http" else ""
    yield f"  {destination.url}{plain}, model {destination.model}, by {destination.sdk}"
    yield f"  terms {destination.terms}: {use_of(destination.terms, destination.sdk)}"
    if pages := pages_of(destination.terms):
        yield f"  as said in {pages}"


def _none_for_it(labels: Collection[Label], explanation: Explanation) -> str:
    """Why nothing that was asked about may go to a backend that is set up."""
    if not labels:
        return "there is no file here"
    are = "this file is" if len(explanation.files) == 1 else "these files are"
    words = " or ".join(label.name.lower() for label in sorted(labels))
    refused = [explanation.ways[label].why for label in labels if not explanation.ways[label].steps]
    return one_line(refused[0]) if refused else f"{are} {words}"


def _table(explanation: Explanation) -> list[str]:
    files = explanation.files
    paths = [one_line(item.file.path) for item in files]
    width = max((len(path) for path in paths if len(path) <= _WIDEST_PATH), default=0)
    return [
        f"{item.file.label.name.lower():{_LABEL_WIDTH}}  {path:{width}}  "
        f"{_first(item, explanation)}"
        for item, path in zip(files, paths, strict=True)
    ]


def _first(item: ExplainedFile, explanation: Explanation) -> str:
    """What decides the label: a reason by itself rather than the want of a mark."""
    reasons = _reasons(item)
    untrusted = [one for one in item.file.evidence if one.rule == _UNTRUSTED]
    # A mark without trust is shown only where trust would do something.
    shown = reasons[:1] or untrusted or item.file.evidence[:1]
    said = [_detail(one, explanation) for one in shown]
    if item.needs_trust and shown[0].rule != _UNTRUSTED:
        said.append("looser after: hybridgen trust")
    return "; ".join([*said, f"but {_imports(item)}"] if item.stricter or item.packages else said)


def _reasons(item: ExplainedFile) -> list[Evidence]:
    """The evidence for the label itself, other than that no mark counts."""
    return [
        one
        for one in item.file.evidence
        if one.label == item.file.label and one.rule not in (_UNTRUSTED, "unmarked")
    ]


def _prompts(item: ExplainedFile, explanation: Explanation) -> Iterator[list[str]]:
    if item.problem is not None:
        yield [f"{item.file.path}: no prompt: {item.problem}"]
    for one in item.prompts:
        label = one.prompt.label
        yield [
            f"prompt for {item.file.path}::{one.target}: {label.name.lower()}, "
            f"about {one.tokens:,} tokens",
            f"  read by   {_readers(explanation.ways[label])}",
            *gate_lines([one]),
            *_fragments(one.prompt),
        ]


def _fragments(prompt: Prompt) -> Iterator[str]:
    """The exact text, line by line, behind the label and origin of what each was made from."""
    parts = [(title, list(_pieces(fragments))) for title, fragments in _parts(prompt)]
    origins = [_origin(line) for _, lines in parts for line in lines]
    width = max((len(origin) for origin in origins if len(origin) <= _WIDEST_PATH), default=0)
    for title, lines in parts:
        yield f"  --- {_TITLES[title]}"
        for line in lines:
            label = strictest(piece.label for piece, _ in line).name.lower()
            text = "".join(text for _, text in line)
            yield f"  {label:{_LABEL_WIDTH}}  {_origin(line):{width}}  | {text}".rstrip()


def _pieces(fragments: Sequence[Fragment]) -> Iterator[list[tuple[Fragment, str]]]:
    """The lines of a text, each as the pieces of fragments that it is made of."""
    line: list[tuple[Fragment, str]] = []
    for fragment in fragments:
        first, *rest = fragment.text.split("\n")
        line.append((fragment, first))
        for text in rest:
            yield line
            line = [(fragment, text)]
    if any(text for _, text in line):
        yield line


def _origin(line: Sequence[tuple[Fragment, str]]) -> str:
    """Where the words of a line are from; hybridgen's own are named where there are no others."""
    pieces = [piece for piece, text in line if text] or [piece for piece, _ in line]
    theirs = [piece for piece in pieces if piece.sources] or pieces
    return ", ".join(dict.fromkeys(one_line(piece.origin) for piece in theirs))


def _parts(prompt: Prompt) -> tuple[tuple[str, tuple[Fragment, ...]], ...]:
    return (
        ("system", prompt.system),
        ("context", prompt.context),
        ("request", prompt.request),
        ("answer", (prompt.answer,)),
    )


def _receiver_document(receiver: Receiver) -> dict[str, Any]:
    destination = receiver.destination
    if destination is None:
        return {"is_asked": False, "why_not": receiver.why_not}
    return {
        "is_asked": True,
        "url": destination.url,
        "model": destination.model,
        "sdk": destination.sdk,
        "terms": destination.terms,
        "terms_in_words": terms_line(destination.terms, destination.sdk),
        "clearance": destination.clearance.name.lower(),
    }


def _file_document(item: ExplainedFile, explanation: Explanation) -> dict[str, Any]:
    source = item.file
    document: dict[str, Any] = {
        "path": source.path,
        "label": source.label.name.lower(),
        "steps": list(explanation.ways[source.label].steps),
        "evidence": [
            {"label": one.label.name.lower(), "rule": one.rule, "detail": one.detail}
            for one in source.evidence
        ],
    }
    if item.asked_as:
        document["asked_as"] = item.asked_as
    if item.stricter:
        document["imports_stricter"] = [
            {"path": file.path, "label": file.label.name.lower()} for file in item.stricter
        ]
    if item.packages:
        document["imports_packages"] = list(item.packages)
    if gate := gate_document(item.prompts):
        document["gate"] = gate
    if item.prompts and explanation.shows_prompts:
        document["prompts"] = [_prompt_document(one, explanation) for one in item.prompts]
    if item.problem is not None:
        document["problem"] = item.problem
    return document


def _prompt_document(one: ExplainedPrompt, explanation: Explanation) -> dict[str, Any]:
    return {
        "target": one.target,
        "label": one.prompt.label.name.lower(),
        "steps": list(explanation.ways[one.prompt.label].steps),
        "tokens": one.tokens,
        "left_out": list(one.prompt.cut),
        "fragments": [
            {
                "part": part,
                "label": fragment.label.name.lower(),
                "origin": fragment.origin,
                "files": [file.path for file in fragment.sources],
                "text": fragment.text,
            }
            for part, fragments in _parts(one.prompt)
            for fragment in fragments
        ],
    }
