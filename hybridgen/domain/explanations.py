"""Where files may go, and why: what ``hybridgen explain`` shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hybridgen.domain.egress import Destination
from hybridgen.domain.labels import Label, SourceFile
from hybridgen.domain.prompts import Prompt


@dataclass(frozen=True, slots=True)
class Way:
    """Where text of one label goes.

    Attributes:
        steps: the backends that may read it, the first to ask first; none where the settings ask
            for one that may not.
        readers: the same for people.
        why: the reason, or why it is refused.
        hint: what to do next where it is refused.
    """

    steps: tuple[str, ...]
    readers: tuple[str, ...]
    why: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A backend outside of this machine.

    Attributes:
        name: for people.
        destination: where it is, or None where it is not asked.
        why_not: what it lacks, where it is not asked.
    """

    backend: str
    name: str
    destination: Destination | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why the gate would not let a prompt out.

    Attributes:
        reason: its kind, as the ledger names it: ``secret``, ``copy`` ...
        why: the same for people, with the places.
        hint: the next command, or the change to make.
        details: names and values, as in the ledger: ``place``, ``copy_of`` ...
        label: of the strictest file that is named.
    """

    reason: str
    why: str
    hint: str
    details: tuple[tuple[str, str], ...]
    label: Label


@dataclass(frozen=True, slots=True)
class ExplainedPrompt:
    """The first prompt for one target, as source alone makes it.

    Attributes:
        target: ``Class.method`` in the file.
        tokens: an estimate.
        is_checked: the gate was asked about it.
        objection: what the gate has against it, or None.
    """

    target: str
    prompt: Prompt
    tokens: int
    is_checked: bool = False
    objection: Objection | None = None


@dataclass(frozen=True, slots=True)
class ExplainedFile:
    """One file.

    Attributes:
        prompts: where they are to be shown, or where the gate was asked about them.
        problem: why there are no prompts, or None.
        stricter: what it imports that is stricter, so that its prompts may stay on this machine;
            empty where they stay anyway, or where such text is left out.
        packages: the same for installed packages: those that it imports, and what they require,
            that are not named as fit for its label.
        needs_trust: its marks would make it looser if the user trusted them.
        asked_as: the link by which it was asked about, if it was one.
    """

    file: SourceFile
    prompts: tuple[ExplainedPrompt, ...] = ()
    problem: str | None = None
    stricter: tuple[SourceFile, ...] = ()
    packages: tuple[str, ...] = ()
    needs_trust: bool = False
    asked_as: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was asked about.

    Attributes:
        root: the project's folder; files are named relative to it.
        files: the loosest first.
        is_folder: a folder was asked about, so that the whole matters more than each file.
        ways: where text of each label goes.
        receivers: all backends outside of this machine, the outermost first.
        shows_prompts: the text of the prompts was asked for.
    """

    root: Path
    files: tuple[ExplainedFile, ...]
    is_folder: bool
    ways: Mapping[Label, Way]
    receivers: tuple[Receiver, ...]
    shows_prompts: bool = False
