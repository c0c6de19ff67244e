"""The main job as a user runs it: the real command, real locks, a real (tiny) model."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PRICES = '''
"""Prices."""


def discount(price: int, percent: int) -> int:
    """Take percent off.

    >>> discount(200, 50)
    100
    """
    if percent < 0 or percent > 100:
        raise ValueError("percent out of range")
    return price - price * percent // 100
'''


class Run:
    """One finished run of the command."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def module(self) -> dict[str, object]:
        [module] = json.loads(self.out)["modules"]
        assert isinstance(module, dict)
        return module


Generate = Callable[..., Run]

# Ends a search early that will never reach all of a module.
BRIEF = """
import sys, hybridgen.explore.search as search
search.OPEN_PLATEAU = 0.2
from hybridgen.cli.main import main
main(sys.argv[1:])
"""


def new_user(folder: Path) -> dict[str, str]:
    """The environment of a user with no settings, no models and nothing else in it."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    home = folder / "home"
    home.mkdir()
    return {**kept, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(home)}


def new_project(folder: Path) -> Path:
    root = folder / "project"
    (root / "shop").mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        "[project]\nname = 'shop'\nversion = '1'\n[tool.pytest.ini_options]\npythonpath = ['.']\n"
    )
    (root / "shop/__init__.py").write_text("")
    (root / "shop/prices.py").write_text(PRICES)
    return root


def generator(project: Path, environment: dict[str, str]) -> Generate:
    def generate(*arguments: str, start: tuple[str, ...] = ("-m", "hybridgen"), **more: str) -> Run:
        command = [sys.executable, *start, "generate", *arguments]
        if "--budget" not in arguments:
            command += ["--budget", "25"]
        done = subprocess.run(
            command,
            cwd=project,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Run(done)

    return generate


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return new_user(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return new_project(tmp_path)


@pytest.fixture
def generate(project: Path, environment: dict[str, str]) -> Generate:
    return generator(project, environment)


def passes(project: Path, *arguments: str) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, check=False).returncode == 0


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_without_a_model_the_search_alone_writes_tests_that_pass(
    generate: Generate, project: Path
) -> None:
    run = generate("shop/prices.py")
    assert run.code == 0, run.err
    text = (project / "tests/test_prices.py").read_text()
    assert "from shop.prices import discount" in text
    assert "pytest.raises(ValueError" in text
    assert passes(project, "tests")
    assert "hybridgen models pull" in run.err
    assert "line 0 -> 100 %" in run.out
    assert "was not asked" not in run.err


@dataclass(frozen=True)
class Shared:
    """One run that several tests look at, as runs are dear; and its project before and after."""

    run: Run
    before: dict[str, bytes]
    after: dict[str, bytes]


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """``--diff`` for a user who began to set Gemini up."""
    folder = tmp_path_factory.mktemp("preview")
    project = new_project(folder)
    before = tree(project)
    generate = generator(project, new_user(folder))
    run = generate("shop", "--diff", HYBRIDGEN_GEMINI_MODEL="gemini-x")
    assert run.code == 0, run.err
    return Shared(run, before, tree(project))


def test_what_was_begun_to_be_set_up_and_was_not_asked_is_said_once(preview: Shared) -> None:
    said = "note: Google Gemini was not asked: gemini.terms is not set"
    assert preview.run.err.count(said) == 1


def test_json_is_one_document_with_the_promised_fields(generate: Generate, tiny_gguf: Path) -> None:
    run = generate("shop/prices.py", "--json", "--model", str(tiny_gguf), "--seed", "3")
    assert run.code == 0, run.err
    module = run.module
    assert json.loads(run.out)["schema_version"] == 1
    for key in ("why", "tests_dropped", "error", "interpreter"):
        assert key in module
    assert module["path"] == "shop/prices.py"
    assert module["label"] == "confidential"
    assert module["route"]["backend"] == "local"
    assert module["model"] == tiny_gguf.name
    assert module["test_file"] == "tests/test_prices.py"
    assert module["tests_kept"] >= 2
    assert module["coverage"]["before"]["line"] == 0
    assert module["coverage"]["after"]["branch"] == 100
    assert (module["tokens"], module["questions"]) == (0, {})  # all was found without the model
    assert 0 < module["seconds"] <= 35


def test_diff_prints_the_new_file_and_writes_nothing(preview: Shared) -> None:
    assert "+++ " in preview.run.out
    assert "+from shop.prices import discount" in preview.run.out
    assert preview.after == preview.before


def test_covered_module_is_left_alone(generate: Generate, project: Path) -> None:
    (project / "tests").mkdir()
    (project / "tests/test_prices.py").write_text(
        "import pytest\nfrom shop.prices import discount\n\n\n"
        "def test_all():\n    assert discount(10, 10) == 9\n"
        "    with pytest.raises(ValueError):\n        discount(1, 101)\n"
    )
    before = tree(project)
    run = generate("shop/prices.py", "--json")
    assert run.code == 0, run.err
    assert run.module["tests_kept"] == 0
    assert run.module["coverage"]["before"]["pooled"] == 100
    assert tree(project) == before


def test_existing_tests_keep_every_byte_and_their_coverage_counts(
    generate: Generate, project: Path
) -> None:
    (project / "tests").mkdir()
    mine = "def test_mine():\n    assert discount(10, 10)  == 9\n"
    mine = "from shop.prices import discount  # mine\n\n\n" + mine
    (project / "tests/test_prices.py").write_text(mine)
    run = generate("shop/prices.py", "--json")
    assert run.code == 0, run.err
    text = (project / "tests/test_prices.py").read_text()
    assert "def test_mine():\n    assert discount(10, 10)  == 9\n" in text
    assert "from shop.prices import discount  # mine\n" in text
    assert run.module["coverage"]["before"]["line"] > 0
    assert run.module["coverage"]["after"]["pooled"] == 100
    assert passes(project, "tests")


def test_second_run_replaces_own_tests_and_keeps_edited_ones(
    generate: Generate, project: Path
) -> None:
    (project / "shop/prices.py").write_text(
        PRICES + "\n\ndef double(n: int) -> int:\n    return n * 2\n"
    )
    assert generate("shop/prices.py").code == 0
    path = project / "tests/test_prices.py"
    names = re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    edited = path.read_text().replace("def test_double", "def test_double_by_a_person", 1)
    assert edited != path.read_text()
    path.write_text(edited)
    (project / "shop/prices.py").write_text(
        PRICES + "\n\ndef double(n: int) -> int:\n    return n * 2\n\n\n"
        "def half(n: int) -> int:\n    return n // 2\n"
    )
    assert generate("shop/prices.py").code == 0
    text = path.read_text()
    assert "def test_double_by_a_person" in text
    assert "def test_half" in text
    for name in names:
        assert text.count(f"def {name}(") <= 1
    assert passes(project, "tests")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with names of its own for test files, after a run for one definition."""
    folder = tmp_path_factory.mktemp("named")
    project = new_project(folder)
    with (project / "pyproject.toml").open("a") as settings:
        settings.write("python_files = ['*_test.py']\n")
    (project / "shop/prices.py").write_text(
        PRICES + "\n\ndef double(n: int) -> int:\n    return n * 2\n"
    )
    run = generator(project, new_user(folder))("shop/prices.py::double")
    assert run.code == 0, run.err
    return project


def test_file_gets_a_name_that_pytest_collects(named: Path) -> None:
    assert [path.name for path in (named / "tests").iterdir()] == ["prices_test.py"]
    assert passes(named)


@pytest.mark.long
def test_own_tests_that_the_code_has_outgrown_are_made_anew(
    generate: Generate, project: Path
) -> None:
    assert generate("shop/prices.py").code == 0
    (project / "shop/prices.py").write_text(PRICES.replace("percent // 100", "percent // 50"))
    assert not passes(project, "tests")
    run = generate("shop/prices.py")
    assert run.code == 0, run.err
    assert passes(project, "tests")


def test_one_definition_can_be_named(named: Path) -> None:
    text = (named / "tests/prices_test.py").read_text()
    assert "double(" in text
    assert "discount" not in text


def test_gemini_is_refused_before_anything_is_read(generate: Generate, project: Path) -> None:
    before = tree(project)
    run = generate("shop/prices.py", "--backend", "gemini")
    assert run.code == 4
    assert "this code is confidential" in run.out
    assert tree(project) == before
    ledger = project.parent / "home/.local/state/hybridgen/ledger/ledger.jsonl"
    [entry] = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert (entry["kind"], entry["reason"]) == ("refusal", "route")
    assert entry["destination"] == {"backend": "gemini"}
    [file] = entry["files"]
    assert (file["path"], file["label"]) == ("shop/prices.py", "confidential")
    assert PRICES.splitlines()[-1] not in ledger.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nowhere.py"], 2, "nowhere.py"),
        (["shop/prices.py", "--model", "gpt-9"], 2, "gpt-9"),
        (["shop/prices.py", "--model", "qwen2.5-coder-0.5b"], 1, "hybridgen models pull"),
        (["shop/prices.py", "--budget", "-1"], 2, "budget"),
        (["shop/prices.py", "--python", "/nowhere/python"], 2, "/nowhere/python"),
    ],
)
def test_bad_input_gives_one_clear_error(
    generate: Generate, arguments: list[str], code: int, said: str
) -> None:
    run = generate(*arguments)
    assert run.code == code
    assert said in run.err
    assert "Traceback" not in run.err
    assert run.out == ""


def test_module_that_fails_does_not_stop_the_others(generate: Generate, project: Path) -> None:
    (project / "shop/broken.py").write_text("def f(:\n")
    (project / "shop/failing.py").write_text(
        "import nowhere_to_be_found\n\ndef f():\n    return 1\n"
    )
    run = generate("shop", "--json")
    assert run.code == 1
    modules = {module["path"]: module for module in json.loads(run.out)["modules"]}
    assert "shop/broken.py:1: syntax error" in modules["shop/broken.py"]["error"]
    assert "pip install nowhere_to_be_found" in modules["shop/failing.py"]["error"]
    assert modules["shop/prices.py"]["tests_kept"] > 0


DANGEROUS = """
import os
import shutil
import socket
import subprocess
from pathlib import Path

VICTIM = Path({victim!r})
MARK = Path({mark!r})


def delete():
    VICTIM.unlink()


def wipe():
    shutil.rmtree(VICTIM.parent)


def change():
    VICTIM.chmod(0o777)


def write():
    MARK.write_text("was here")


def fork():
    if os.fork() == 0:
        MARK.write_text("was here")
        os._exit(0)


def run():
    return subprocess.run(["touch", str(MARK)])


def connect(port={port}):
    with socket.create_connection(("127.0.0.1", port), timeout=1) as link:
        link.sendall(b"secret")


def attack(times: int) -> str:
    for action in (delete, wipe, change, write, fork, run, connect):
        for _ in range(times):
            try:
                action()
            except OSError:
                pass
    return "done"
"""


def test_dangerous_module_is_tested_without_harm(
    generate: Generate, project: Path, tmp_path: Path
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        victim, mark = tmp_path / "victim/file.txt", tmp_path / "mark"
        victim.parent.mkdir()
        victim.write_text("precious")
        mode = victim.stat().st_mode
        (project / "shop/danger.py").write_text(
            DANGEROUS.format(victim=str(victim), mark=str(mark), port=port)
        )
        run = generate("shop/danger.py", "--json", start=("-I", "-c", BRIEF))
        with pytest.raises(TimeoutError):
            server.accept()
    assert run.code in (0, 1)
    assert run.module["error"] is None
    assert victim.read_text() == "precious"
    assert victim.stat().st_mode == mode
    assert not mark.exists()
    # Nor may a written test do harm when the developer runs it without a sandbox.
    if (project / "tests").exists():
        passes(project, "tests")
    assert victim.read_text() == "precious"
    assert not mark.exists()


def descendants(of: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == of:
            pid = int(status.parent.name)
            found += [pid, *descendants(pid)]
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed_run_leaves_no_process_and_no_file(
    project: Path, environment: dict[str, str], tiny_gguf: Path, how: signal.Signals
) -> None:
    (project / "shop/slow.py").write_text(
        "def f(n: int) -> int:\n    while True:\n        n += 1\n"
    )
    before = tree(project)
    command = [
        sys.executable,
        "-m",
        "hybridgen",
        "generate",
        "shop/slow.py",
        "--model",
        str(tiny_gguf),
        "--no-cache",  # so that the engine runs from the start
    ]
    process = subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    children: list[int] = []
    for _ in range(200):
        children = descendants(process.pid)
        if len(children) >= 2:
            break
        time.sleep(0.05)
    assert len(children) >= 2
    process.send_signal(how)
    _, err = process.communicate(timeout=10)
    codes = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
    assert process.returncode == codes[how], err
    if how is not signal.SIGKILL:
        assert not list(Path(environment["TMPDIR"]).glob("hybridgen-*"))
    for _ in range(60):
        if not any(is_alive(pid) for pid in children):
            break
        time.sleep(0.05)
    assert not [pid for pid in children if is_alive(pid)]
    assert tree(project) == before


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Python of a venv with nothing in it, not even pip: a project's own environment."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(folder, with_pip=False)
    yield folder / "bin/python"


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13"])
def test_project_of_another_python_without_pytest_is_tested(
    generate: Generate, project: Path, version: str, tmp_path: Path
) -> None:
    found = shutil.which(f"python{version}")
    real = (
        found
        and subprocess.run(
            [found, "-c", "import sys; print(sys.executable)"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
    )
    if not real:
        pytest.skip(f"no Python {version} on the path")
    subprocess.run([real, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    run = generate("shop/prices.py", "--json", "--python", str(tmp_path / "venv/bin/python"))
    assert run.code == 0, run.out + run.err
    assert run.module["coverage"]["after"]["pooled"] == 100


def test_project_in_a_venv_of_its_own_needs_nothing_of_ours(
    generate: Generate, project: Path, bare_python: Path
) -> None:
    site = next((bare_python.parent.parent / "lib").glob("python*/site-packages"))
    (site / "only_here.py").write_text("NUMBER = 7\n")
    (project / "shop/uses.py").write_text(
        textwrap.dedent(
            """
            from only_here import NUMBER


            def times(n: int) -> int:
                if n < 0:
                    raise ValueError("negative")
                return n * NUMBER
            """
        )
    )
    run = generate("shop/uses.py", "--json", "--python", str(bare_python))
    assert run.code == 0, run.err + run.out
    assert str(bare_python) in str(run.module["interpreter"])
    assert run.module["coverage"]["after"]["pooled"] == 100
    missing = generate("shop/uses.py", "--json")
    assert missing.code == 1
    assert "only_here" in str(missing.module["error"])
