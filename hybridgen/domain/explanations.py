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
    """

    steps: tuple[str, ...]
    readers: tuple[str, ...]
    why: str


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
class ExplainedPrompt:
    """The first prompt for one target, as source alone makes it.

    Attributes:
        target: ``Class.method`` in the file.
        tokens: an estimate.
    """

    target: str
    prompt: Prompt
    tokens: int


@dataclass(frozen=True, slots=True)
class ExplainedFile:
    """One file.

    Attributes:
        prompts: where they were asked for.
        problem: why there are no prompts, or None.
        stricter: what it imports that is stricter, so that its prompts may stay on this machine;
            empty where they stay anyway, or where such text is left out.
        needs_trust: its marks would make it looser if the user trusted them.
    """

    file: SourceFile
    prompts: tuple[ExplainedPrompt, ...] = ()
    problem: str | None = None
    stricter: tuple[SourceFile, ...] = ()
    needs_trust: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was asked about.

    Attributes:
        root: the project's folder; files are named relative to it.
        files: the loosest first.
        is_folder: a folder was asked about, so that the whole matters more than each file.
        ways: where text of each label goes.
        receivers: all backends outside of this machine, the outermost first.
    """

    root: Path
    files: tuple[ExplainedFile, ...]
    is_folder: bool
    ways: Mapping[Label, Way]
    receivers: tuple[Receiver, ...]
