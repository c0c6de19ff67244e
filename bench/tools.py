"""The tools that write tests: each takes a clean project and a time, and leaves test files.

hybridgen brings its own sandbox and runs as a user would run it; the peers execute the code
under test as they please, so they run in a box.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from box import Ran, run_in_box
from packages import BENCH, Module, Package, environment, requirements_of

_HOST = "127.0.0.1"
_PORT = 8431  # in a network of its own, so it is free


@dataclass(frozen=True)
class Job:
    """One module for one tool.

    Attributes:
        package: the package, with its environment.
        project: a clean copy, in a scratch folder of its own.
        module: where the module lies in it.
        name: its dotted name.
        budget: seconds.
        seed: of all that is drawn at random.
        cache: folder of environments.
        model: name of a model, for the tools that use one.
        model_folder: where hybridgen keeps its models.
        hybridgen: the command.
    """

    package: Package
    project: Path
    module: Module
    name: str
    budget: float
    seed: int
    cache: Path
    model: str | None
    model_folder: Path
    hybridgen: str

    @property
    def scratch(self) -> Path:
        """The folder around the project."""
        return self.project.parent


@dataclass(frozen=True)
class Generated:
    """What a tool left.

    Attributes:
        files: test files, relative to the project.
        ran: how its process ended.
        seconds: wall time, without the start of a peer's server.
        tokens: of the model, None where the tool does not say.
        reason: why there is no test file, or what went wrong.
        versions: of the tool.
        said: what the tool claims about its own result.
    """

    files: tuple[Path, ...]
    ran: Ran
    seconds: float
    tokens: int | None = None
    reason: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, Any] = field(default_factory=dict)


def hybridgen_search(job: Job) -> Generated:
    """hybridgen without a model."""
    empty = job.scratch / "no-models"
    empty.mkdir()
    more = ["--no-model"] if "--no-model" in _help(job.hybridgen) else []
    return _hybridgen(job, empty, more)


def hybridgen_model(job: Job) -> Generated:
    """hybridgen with a model of this machine."""
    assert job.model is not None
    return _hybridgen(job, job.model_folder, ["--model", job.model])


def _hybridgen(job: Job, models: Path, more: Sequence[str]) -> Generated:
    own = {name: text for name, text in os.environ.items() if not name.startswith("HYBRIDGEN_")}
    for kind in ("CONFIG", "CACHE", "DATA", "STATE"):  # no settings and no cached reply of the user
        own[f"XDG_{kind}_HOME"] = str(job.scratch / "user" / kind.lower())
    own["HYBRIDGEN_MODEL_FOLDER"] = str(models)
    output = job.scratch / "report.json"
    command = [
        job.hybridgen, "generate", str(job.module.path), "--budget", f"{job.budget:g}",
        "--seed", str(job.seed), "--python", str(job.package.python), "--json", *more,
    ]  # fmt: skip
    ran = run_in_box(
        command, job.scratch, job.project, 3 * job.budget + 120, own, is_open=True, stdout=output
    )
    version = {"hybridgen": _version(job.hybridgen), "commit": _commit()}
    try:
        document = json.loads(output.read_text(encoding="utf-8"))
        [module] = document["modules"]
    except (ValueError, KeyError):
        return Generated((), ran, ran.seconds, None, _why(ran), version)
    file = module["test_file"]
    keys = ("tests_kept", "tests_dropped", "coverage", "seconds", "mutation", "notes")
    return Generated(
        (Path(file),) if file else (),
        ran,
        ran.seconds,
        module["tokens"],
        module["error"] or (None if file else _why(ran)),
        version,
        {key: module[key] for key in keys if key in module},
    )


def pynguin(job: Job) -> Generated:
    """Pynguin: 60 % of the time to search, 30 % to try its assertions on mutants.

    The rest is for its start and for writing. It may take twice the time before it is stopped,
    because a stopped Pynguin leaves nothing.
    """
    home = environment(job.cache / "tools" / "pynguin", requirements_of("pynguin.txt"), _python())
    output = job.project / "pynguin_tests"
    output.mkdir()
    command = [
        str(home / "bin" / "pynguin"), "--project-path", str(job.project / job.module.root),
        "--module-name", job.name, "--output-path", str(output),
        "--report-dir", str(job.scratch / "pynguin-report"), "--seed", str(job.seed), "-v",
        "--maximum-search-time", str(max(1, int(0.6 * job.budget))),
        "--maximum-mutation-time", str(max(1, int(0.3 * job.budget))),
    ]  # fmt: skip
    variables = {**_plain(job), "PYNGUIN_DANGER_AWARE": "1"}
    ran = run_in_box(command, job.scratch, job.project, 2 * job.budget, variables)
    files = _test_files(job.project, output)
    reason = None if files else _why(ran)
    return Generated(files, ran, ran.seconds, None, reason, _frozen(home, "pynguin"))


def coverup(job: Job) -> Generated:
    """CoverUp against a server on loopback that serves the same model file."""
    home = environment(job.cache / "tools" / "coverup", requirements_of("coverup.txt"), _python())
    tests = job.project / "tests"
    tests.mkdir(exist_ok=True)
    package = job.project / job.module.root / job.name.partition(".")[0]
    source = package if package.is_dir() else job.project / job.module.root
    said = job.scratch / "served.json"
    plan = {
        "server": [
            str(home / "bin" / "python"), "-m", "llama_cpp.server", "--model", _gguf(job),
            "--host", _HOST, "--port", str(_PORT), "--n_ctx", "8192", "--n_threads",
            str(len(os.sched_getaffinity(0))), "--chat_format", "chatml",
        ],
        "command": [
            str(home / "bin" / "coverup"), "--package-dir", str(source), "--tests-dir", "tests",
            "--model", "openai/gpt-4.1", "--prompt", "gpt-v1", "--max-concurrency", "1",
            "--no-checkpoint", str(job.project / job.module.path),
        ],
        "port": _PORT, "budget": job.budget, "result": str(said),
    }  # fmt: skip
    variables = {
        **_plain(job), "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": f"http://{_HOST}:{_PORT}/v1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OMP_WAIT_POLICY": "passive",  # as hybridgen starts its engine
        "PATH": f"{home / 'bin'}{os.pathsep}{os.defpath}",
    }  # fmt: skip
    ran = run_in_box(
        [sys.executable, "-I", str(BENCH / "serving.py"), json.dumps(plan)], job.scratch,
        job.project, job.budget + 120, variables,
    )  # fmt: skip
    served = json.loads(said.read_text(encoding="utf-8")) if said.exists() else {}
    files = _test_files(job.project, tests)
    reason = None if files else served.get("reason") or _why(ran)
    return Generated(
        files, ran, served.get("seconds", ran.seconds), served.get("tokens"), reason,
        _frozen(home, "coverup", "llama_cpp_python"),
    )  # fmt: skip


TOOLS = {
    "hybridgen": hybridgen_search,
    "hybridgen-model": hybridgen_model,
    "hybridgen-larger": hybridgen_model,
    "pynguin": pynguin,
    "coverup": coverup,
}


def scrubbed(text: str) -> str:
    """``text`` without folders of this machine."""
    return re.sub(r"(?<![\w.])/(?:[\w.+@=-]+/)+", ".../", text)


def _why(ran: Ran) -> str:
    limit = "stopped at the limit; " if ran.is_late else ""
    return scrubbed(f"{limit}exit status {ran.code}: {ran.tail(4)}")[:600]


def _plain(job: Job) -> dict[str, str]:
    """What a peer in a box sees."""
    home, temporary = job.scratch / "home", job.scratch / "tmp"
    for folder in (home, temporary):
        folder.mkdir(exist_ok=True)
    paths = (job.project / job.module.root, job.package.needs_folder)
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }


def _test_files(project: Path, folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path.relative_to(project) for path in folder.rglob("test_*.py")))


def _tokens(log: Path) -> int | None:
    """The tokens of all answers that CoverUp wrote down."""
    if not log.is_file():
        return None
    text = log.read_text(encoding="utf-8", errors="replace")
    return sum(int(number) for number in re.findall(r'"total_tokens": (\d+)', text))


def _gguf(job: Job) -> str:
    """The file of the model, as hybridgen knows it."""
    assert job.model is not None
    if Path(job.model).is_file():
        return str(Path(job.model).resolve())
    folder = ("--model-folder", str(job.model_folder))
    return _said([job.hybridgen, "models", *folder, "path", job.model])


def _python() -> str:
    return sys.executable


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@functools.cache
def _help(hybridgen: str) -> str:
    return _said([hybridgen, "generate", "--help"])


@functools.cache
def _version(hybridgen: str) -> str:
    return _said([hybridgen, "--version"]).split()[-1]


@functools.cache
def _commit() -> str:
    """The checkout's commit, with a ``+`` if the package has changes."""
    git = ["git", "-C", str(BENCH.parent)]
    asked = (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--", "hybridgen"])
    head, changes = (
        subprocess.run([*git, *words], capture_output=True, text=True, check=False).stdout.strip()
        for words in asked
    )
    return (head or "unknown") + ("+" if changes else "")


def _frozen(home: Path, *names: str) -> dict[str, str]:
    """Versions in an environment."""
    code = "import importlib.metadata as m, sys; print(*[m.version(n) for n in sys.argv[1:]])"
    said = _said([str(home / "bin" / "python"), "-I", "-c", code, *names])
    return dict(zip(names, said.split(), strict=True))
