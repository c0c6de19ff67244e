"""The folder of models on this machine."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hybridgen.errors import ModelError, ModelMissing, UsageError
from hybridgen.modelstore import choose, machine
from hybridgen.modelstore.manifest import Manifest, read_manifests
from hybridgen.modelstore.partial import file_sha256
from hybridgen.resources import resource_folder

_GGUF_MAGIC = b"GGUF"


class ModelState(StrEnum):
    """What there is of a model; decided by sizes, hashes are checked by ``verify``."""

    INSTALLED = "installed"
    PARTIAL = "partial"
    DAMAGED = "damaged"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One line of the store.

    Attributes:
        path: where the model is or would be.
        arrived: how many of its bytes are on this machine.
    """

    manifest: Manifest
    state: ModelState
    path: Path
    arrived: int


def default_folder() -> Path:
    """The user's own folder for models."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("hybridgen")) / "models"


class ModelStore:
    """The models of one folder.

    Args:
        folder: where the models are, by default :func:`default_folder`; made by the first pull.
        manifests: folder of the manifests, by default those that ship with hybridgen.

    Raises:
        SettingsError: a manifest cannot be right.
    """

    def __init__(self, folder: Path | None = None, manifests: Path | None = None) -> None:
        self.folder = (folder or default_folder()).expanduser().absolute()
        self.manifests = read_manifests(manifests or resource_folder("models"))

    def manifest(self, name: str) -> Manifest:
        """The manifest of a model.

        Raises:
            UsageError: no manifest has that name.
        """
        for manifest in self.manifests:
            if manifest.name == name:
                return manifest
        names = ", ".join(manifest.name for manifest in self.manifests)
        raise UsageError(f"there is no model named {name}", f"Known names: {names}.")

    def file(self, manifest: Manifest) -> Path:
        """Where the model is once it is installed."""
        return self.folder / manifest.file

    def partial_file(self, manifest: Manifest) -> Path:
        """Where an unfinished pull of the model is kept."""
        return self.folder / f"{manifest.file}.part"

    def status(self, manifest: Manifest) -> ModelStatus:
        """What there is of one model."""
        path = self.file(manifest)
        size = _size(path)
        if size == manifest.bytes:
            return ModelStatus(manifest, ModelState.INSTALLED, path, size)
        if size is not None:
            return ModelStatus(manifest, ModelState.DAMAGED, path, size)
        arrived = _size(self.partial_file(manifest))
        state = ModelState.MISSING if arrived is None else ModelState.PARTIAL
        return ModelStatus(manifest, state, path, arrived or 0)

    def list(self) -> tuple[ModelStatus, ...]:
        """All models that have a manifest, smallest first."""
        return tuple(self.status(manifest) for manifest in self.manifests)

    def path(self, name: str) -> Path:
        """The file of an installed model.

        Raises:
            UsageError: no manifest has that name.
            ModelMissing: it is not installed.
            ModelError: what is there has another size.
        """
        status = self.status(self.manifest(name))
        again = f"hybridgen models pull {name}"
        if status.state is ModelState.INSTALLED:
            return status.path
        if status.state is ModelState.DAMAGED:
            raise ModelError(
                f"{status.path}: {status.arrived:,} bytes, expected {status.manifest.bytes:,}",
                again,
            )
        part = " (a pull was interrupted)" if status.state is ModelState.PARTIAL else ""
        raise ModelMissing(f"the model {name} is not on this machine{part}", again)

    def verify(self, name: str) -> Path:
        """Check size and sha256 of an installed model and give its file.

        Raises:
            ModelMissing: it is not installed.
            ModelError: it is not the file that the manifest describes.
        """
        path = self.path(name)
        expected = self.manifest(name).sha256
        found = file_sha256(path)
        if found != expected:
            raise ModelError(
                f"{path}: sha256 is {found}, expected {expected}", f"hybridgen models pull {name}"
            )
        return path

    def remove(self, name: str) -> int:
        """Remove a model and what an interrupted pull of it left; gives the bytes freed.

        Raises:
            UsageError: no manifest has that name.
            ModelMissing: there is nothing of it.
            ModelError: it is being pulled.
        """
        manifest = self.manifest(name)
        partial = self.partial_file(manifest)
        etag = partial.with_name(partial.name + ".etag")
        if _size(self.file(manifest)) is None and _size(partial) is None:
            raise ModelMissing(f"the model {name} is not on this machine", "hybridgen models list")
        freed = 0
        with self.lock(manifest) as is_ours:
            if not is_ours:
                raise ModelError(f"the model {name} is being pulled", "Stop the pull first.")
            for path in (self.file(manifest), partial, etag):
                freed += _size(path) or 0
                path.unlink(missing_ok=True)
        return freed

    def resolve(self, name_or_path: str) -> tuple[Path, Manifest | None]:
        """The file that ``--model`` means: a name of the store, or a GGUF file of the user's own.

        Raises:
            UsageError: neither a known name nor a GGUF file.
            ModelMissing: a known name that is not installed.
            ModelError: what is installed under that name has another size.
        """
        path = Path(name_or_path).expanduser()
        is_path = path.suffix == ".gguf" or len(path.parts) > 1
        if not is_path:
            return self.path(name_or_path), self.manifest(name_or_path)
        try:
            with path.open("rb") as stream:
                magic = stream.read(len(_GGUF_MAGIC))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
        if magic != _GGUF_MAGIC:
            raise UsageError(f"{path}: not a GGUF file", "Give a .gguf file or a model's name.")
        return path.absolute(), None

    def choose_default(self, memory_bytes: int, cores: int) -> tuple[Manifest, str]:
        """The model that suits a machine, and why; see :mod:`hybridgen.modelstore.choose`."""
        return choose.choose_default(self.manifests, memory_bytes, cores)

    def installed_best(self) -> Manifest | None:
        """The best installed code model for this machine, or None.

        One that suits the machine wins over one that does not, then the larger one among
        those that suit, the smaller one among those that do not.
        """
        memory, cores = machine.memory_limit(), machine.usable_cores()
        installed = [
            status.manifest
            for status in self.list()
            if status.state is ModelState.INSTALLED
            and status.manifest.default_from_cores is not None
        ]
        suiting = [item for item in installed if choose.suits(item, memory, cores)]
        if suiting:
            return suiting[-1]
        return installed[0] if installed else None

    def chosen(self, model: str | None) -> tuple[Path, Manifest | None] | None:
        """What a run loads: ``model``, else the best installed one; None where there is none.

        Raises:
            UsageError: it is neither a known name nor a GGUF file.
            ModelError: it is not installed, or damaged.
        """
        if model is not None:
            return self.resolve(model)
        manifest = self.installed_best()
        return None if manifest is None else (self.path(manifest.name), manifest)

    @contextmanager
    def lock(self, manifest: Manifest, *, is_patient: bool = False) -> Iterator[bool]:
        """Hold the model's lock; gives False at once if another process has it.

        Args:
            is_patient: wait for the other process instead.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The file stays: removing it would let two processes lock two files of that name.
        with (self.folder / f".{manifest.name}.lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | (0 if is_patient else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True


def _size(path: Path) -> int | None:
    """The size of a regular file, or None if there is none."""
    return path.stat().st_size if path.is_file() else None
