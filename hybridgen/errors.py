"""The error tree. Every message says what, where, and the next command to run.

::

    HybridgenError            exit 3   anything hybridgen raises on purpose
    ├── UsageError            exit 2   a path, flag or argument that cannot be right
    ├── SettingsError         exit 2   a settings file, variable or value that cannot be right
    ├── ModelError            exit 1   the model store or the engine cannot deliver
    │   ├── ModelMissing      exit 1   the model is not on this machine
    │   ├── DownloadError     exit 1   a pull failed; what was fetched is kept
    │   ├── EngineError       exit 1   the model's process crashed, hung or refused
    │   └── RemoteError       exit 1   a model elsewhere gave no answer
    ├── SourceError           exit 1   one module cannot be tested; the others go on
    ├── RunnerError           exit 1   the sandboxed worker cannot do its work
    └── PolicyRefusal         exit 4   a rule about confidentiality or safety says no
        ├── GateRefusal       exit 4   text that was about to leave this machine may not
        ├── SandboxUnavailable exit 4  the kernel cannot lock the runner
        └── UnfitFile         exit 4   a file that hybridgen keeps is not its user's alone
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class HybridgenError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: what went wrong and where, one sentence.
        hint: the next command to run or the change to make, or None.
    """

    exit_code = 3

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(HybridgenError):
    """A path, flag or argument that cannot be right."""

    exit_code = 2


class SettingsError(HybridgenError):
    """A settings file, variable or value that cannot be right."""

    exit_code = 2


class ModelError(HybridgenError):
    """The model store or the engine cannot deliver."""

    exit_code = 1


class ModelMissing(ModelError):
    """The model is not on this machine."""


class DownloadError(ModelError):
    """A pull failed; what was fetched so far is kept for the next try."""


class EngineError(ModelError):
    """The model's process crashed, hung or refused a request."""


class RemoteError(ModelError):
    """A model elsewhere gave no answer.

    Args:
        is_final: True if asking it again in this run is pointless.
        may_have_left: False only if it is certain that no text left this machine.
    """

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        is_final: bool = False,
        may_have_left: bool = True,
    ) -> None:
        super().__init__(message, hint)
        self.is_final = is_final
        self.may_have_left = may_have_left


class SourceError(HybridgenError):
    """One module cannot be tested; the others go on."""

    exit_code = 1


class RunnerError(HybridgenError):
    """The sandboxed worker cannot do its work."""

    exit_code = 1


class PolicyRefusal(HybridgenError):
    """A rule about confidentiality or safety says no."""

    exit_code = 4


class GateRefusal(PolicyRefusal):
    """Text that was about to leave this machine may not."""


class SandboxUnavailable(PolicyRefusal):
    """The kernel cannot lock the runner, so nothing is run."""


class UnfitFile(PolicyRefusal):
    """A file or folder that hybridgen keeps cannot be used, or is not its user's alone.

    Args:
        path: the file or folder.
        why: what is the matter with it, a clause.
    """

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} cannot be used: {why}",
            f"look at it with: ls -ld {path}; then remove it, or: chmod go-rwx {path}",
        )
        self.path = path
        self.why = why
