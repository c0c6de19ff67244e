"""Starts each real process of hybridgen with an attacker in it, before or without its locks.

A process is started by the code that starts it in a run, and locked by the call by which it is in
a run; what comes next is replaced by the attacks. Without the locks only that call is replaced as
well. So a row of the proof says something of the product, not of a copy of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hybridgen.errors import RunnerError
from hybridgen.proof import attacker

_SECONDS: Final = 30.0
_MARK: Final = "hybridgen-proof:"

_BEGIN: Final = """
import json, sys
from hybridgen.proof import attacker
is_locked, described = sys.argv[1] == "locked", sys.argv[2]
place = json.loads(described)
"""

_BROKER: Final = """
import hybridgen.cli.locks as locks
import hybridgen.pipeline as pipeline
def generate(*arguments, **options):
    print(MARK + attacker.attack(described), flush=True)
    sys.exit(0)
pipeline.generate = generate
if not is_locked:
    locks.lock_broker = lambda: None
from hybridgen.cli.main import main
main(["generate", place["project"], "--no-model"])
"""

_PULLER: Final = """
import hybridgen.cli.locks as locks
import hybridgen.modelstore.pull as pull
def attempt(*arguments):
    print(MARK + attacker.attack(described), flush=True)
    sys.exit(0)
pull.pull = attempt
if not is_locked:
    locks.lock_puller = lambda folder: None
from hybridgen.cli.main import main
main(["models", "--model-folder", place["models"], "pull", "qwen2.5-coder-0.5b"])
"""

# Engine and courier are children of a broker's: what they import first is replaced in them.
_ENGINE: Final = """
from pathlib import Path
import hybridgen.engine.process as process
process._BOOTSTRAP = (
    process._BOOTSTRAP.rpartition("from hybridgen.engine.child")[0]
    + "import hybridgen.engine.child as child; from hybridgen.proof import attacker\\n"
    + f"described = {described!r}\\n"
    + ("" if is_locked else "child._lock = lambda request: attacker.stay_dumpable()\\n")
    + "def load(request, pipes): raise child._RefusedError(MARK + attacker.attack(described))\\n"
    + f"MARK = {MARK!r}\\nchild._load = load\\nchild.main()"
)
from hybridgen.engine import Engine
from hybridgen.errors import EngineError
model = Path(place["models"]) / "model.gguf"
engine = Engine(model, model_name="model", log=Path(place["models"]) / "engine.log")
engine.start()
try:
    engine.wait_ready(100)
except EngineError as error:
    print(error.message, flush=True)
engine.close()
"""

_COURIER: Final = """
import os
import hybridgen.courier.process as process
begin = (
    process._BOOTSTRAP.rpartition("from hybridgen.courier.child")[0]
    + "import hybridgen.courier.child as child; from hybridgen.proof import attacker\\n"
    + f"described, MARK = {described!r}, {MARK!r}\\n"
    + ("" if is_locked else "child._take_locks = lambda setup: attacker.stay_dumpable()\\n")
    + "def serve(self, requests):\\n"
    + "    self._replies.write((MARK + attacker.attack(described)).encode())\\n"
    + "    self._replies.flush()\\n"
    + "child._Service.serve = serve\\nchild.main()"
)
process._OPTIONS = (*process._OPTIONS[:-1], begin)
from hybridgen.courier import Courier, Setup
from hybridgen.domain import Destination, Label
port = place["port"]
where = Destination(
    "onprem", f"http://127.0.0.1:{port}/v1", "m", "openai-compatible", "onprem", Label.INTERNAL
)
courier = Courier.start()
courier.configure(Setup(where, trusted_hosts=("127.0.0.1",)))
with os.fdopen(os.dup(courier._process._in), "rb") as replies:
    print(replies.read().decode(), flush=True)
"""

# The module under test attacks while it is imported, and leaves what came of it in the scratch
# folder. The workers are the real ones, started and asked by the classes that do so in a run.
_WORKERS: Final = """
import contextlib, tempfile
from pathlib import Path
from hybridgen.errors import HybridgenError
from hybridgen.observe import mutants, runner
from hybridgen.observe.process import WorkerLost
from hybridgen.source import find_project, read_module, select
if not is_locked:
    runner.locked_command = lambda profile, command, **options: command
    mutants.child_filter = lambda **options: None
# Else the worker would be missed, and killed, before the program that it becomes has done its deed.
KEEP = "import contextlib\\nfor number in range(60, 70):\\n"
KEEP += "    with contextlib.suppress(OSError): os.set_inheritable(number, True)\\n"
here = Path(place["project"]).parent
scratch = Path(tempfile.mkdtemp(dir=place["scratch"]))
attacks, calm = here / "attacks.py", here / "calm.py"
calm.write_text("import json\\ndef calm(): pass\\n")
attacks.write_text(
    Path(attacker.__file__).read_text()
    + ("" if is_locked else "stay_dumpable()\\n")
    + KEEP + f"said = attack({described!r})\\n"
    + "with open('said', 'w') as file: file.write(said)\\n"
)
sandbox = runner.Sandbox(is_locked=True, call_timeout=20, memory_bytes=2**31)
def ready(path):
    project = find_project(path, python=None, tests=None)
    module = read_module(select([str(path)])[0], project)
    return module, runner.Runner(module, sandbox, scratch)
def of_mutants(path):
    module, its_runner = ready(path)
    its_runner._import_name = module.import_names[0]
    return mutants.Nursery(module, its_runner, sandbox, scratch)
def tell():
    for file in scratch.rglob("said"):
        print(MARK + file.read_text(), flush=True)
        file.unlink()
"""

_RUNNER: Final = """
try:
    ready(attacks)[1].open()
except HybridgenError as error:
    print(error.message, flush=True)
tell()
"""

# Nothing of a project comes in here, but an installed package may be hostile too.
_NURSERY: Final = """
nursery = of_mutants(calm)
try:
    worker = nursery._started()
    worker.ask({"op": "extend", "name": "attacks", "file": str(attacks)}, 20)
except WorkerLost as lost:
    print(lost, flush=True)
tell()
nursery.close()
"""

_MUTANT: Final = """
nursery = of_mutants(attacks)
with contextlib.suppress(WorkerLost):
    nursery._started()
tell()
nursery.close()
"""

_DRIVERS: Final = {
    "broker": _BROKER,
    "engine": _ENGINE,
    "courier": _COURIER,
    "puller": _PULLER,
    "runner": _WORKERS + _RUNNER,
    "nursery": _WORKERS + _NURSERY,
    "mutant": _WORKERS + _MUTANT,
}


def outcomes(
    process: str,
    target: Mapping[str, Any],
    attacks: Sequence[str],
    *,
    is_locked: bool,
    before: str = "",
) -> dict[str, str]:
    """What became of each attack from inside ``process``, by the attack's name.

    Args:
        target: as :class:`hybridgen.proof.attacker.Target` wants it, with ``models``, a folder,
            and ``user``, another one, the home of the processes.
        is_locked: False takes the lock call away.
        before: Python that a test runs first, to break what starts the process.

    Raises:
        RunnerError: the process did not get so far as to attack.
    """
    last = attacker.become_a_program.__name__
    text = f"MARK = {_MARK!r}{_BEGIN}{before}{_DRIVERS[process]}"
    way = "locked" if is_locked else "unlocked"
    command = [sys.executable, "-I", "-c", text, way]
    found = _tried(process, {**target, "attacks": [n for n in attacks if n != last]}, command)
    if last in attacks:
        found[last] = _became(process, {**target, "attacks": [last]}, command)
    return found


def _became(process: str, target: Mapping[str, Any], command: Sequence[str]) -> str:
    """What came of the attack after which there is nobody left to tell."""
    trace = Path(target["beside"]) / attacker.BECAME
    with contextlib.suppress(RunnerError):
        return next(iter(_tried(process, target, command).values()))
    if not trace.exists():
        return "the process ended, and no other program was seen"
    trace.unlink()
    return attacker.SUCCEEDED


def _tried(process: str, target: Mapping[str, Any], command: Sequence[str]) -> dict[str, str]:
    done = subprocess.run(
        [*command, json.dumps(target)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        cwd=target["user"],
        env={"PATH": os.defpath, "HOME": str(target["user"])},
        check=False,
        start_new_session=True,
    )
    start = done.stdout.find("{")
    try:
        answer = json.JSONDecoder().raw_decode(done.stdout, start)[0]
        return {str(name): str(outcome) for name, outcome in answer.items()}
    except (ValueError, AttributeError) as problem:
        said = " ".join((done.stderr.strip() or done.stdout.strip()).split())[-300:]
        raise RunnerError(f"the {process} could not be tried: {said or 'it said nothing'}") from (
            problem
        )
