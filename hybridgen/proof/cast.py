"""Starts each real process of hybridgen with an attacker in it, before or without its locks.

A process is started by the code that starts it in a run, and locks itself by the call by which it
does so in a run; what comes next is replaced by the attacks. Without the locks only that call is
replaced as well. So a row of the proof says something of the product, not of a copy of it.
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

from hybridgen.domain import Interpreter
from hybridgen.errors import RunnerError
from hybridgen.lockdown import locked_command, runner_environment, runner_profile
from hybridgen.proof import attacker

_ATTACKER: Final = Path(attacker.__file__)
_SECONDS: Final = 20.0
_MARK: Final = "hybridgen-proof:"

_BEGIN: Final = """
import json, sys
from hybridgen.proof import attacker
described, is_locked = sys.argv[1], sys.argv[2] == "locked"
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

_DRIVERS: Final = {
    "broker": _BROKER,
    "engine": _ENGINE,
    "courier": _COURIER,
    "puller": _PULLER,
}


def outcomes(
    process: str, target: Mapping[str, Any], attacks: Sequence[str], *, is_locked: bool
) -> dict[str, str]:
    """What became of each attack from inside ``process``, by the attack's name.

    Args:
        target: as :class:`hybridgen.proof.attacker.Target` wants it, with ``models``, a folder,
            and ``user``, another one, the home of the processes.
        is_locked: False takes the lock call away.

    Raises:
        RunnerError: the process did not get so far as to attack.
    """
    last = attacker.become_a_program.__name__
    found = _tried(process, {**target, "attacks": [n for n in attacks if n != last]}, is_locked)
    if last in attacks:
        found[last] = _became(process, {**target, "attacks": [last]}, is_locked)
    return found


def _became(process: str, target: Mapping[str, Any], is_locked: bool) -> str:
    """What came of the attack after which there is nobody left to tell."""
    trace = Path(target["beside"]) / attacker.BECAME
    with contextlib.suppress(RunnerError):
        return next(iter(_tried(process, target, is_locked).values()))
    if not trace.exists():
        return "the process ended, and no other program was seen"
    trace.unlink()
    return attacker.SUCCEEDED


def _tried(process: str, target: Mapping[str, Any], is_locked: bool) -> dict[str, str]:
    described = json.dumps(target)
    if process == "runner":
        command, environment = _runner(described, target, is_locked)
    else:
        text = f"MARK = {_MARK!r}{_BEGIN}{_DRIVERS[process]}"
        way = "locked" if is_locked else "unlocked"
        command = [sys.executable, "-I", "-c", text, described, way]
        environment = {"PATH": os.defpath, "HOME": str(target["user"])}
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        cwd=target["user"],
        env=environment,
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


def _runner(
    described: str, target: Mapping[str, Any], is_locked: bool
) -> tuple[list[str], dict[str, str]]:
    """The command line and environment of code under test."""
    interpreter = Interpreter(
        path=Path(sys.executable),
        why="the Python of hybridgen itself",
        prefixes=(Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()),
    )
    scratch = Path(target["scratch"])
    command = [sys.executable, "-I", "-S", str(_ATTACKER), described]
    profile = runner_profile(
        project=Path(target["project"]).parent,
        interpreter=interpreter,
        scratch=scratch,
        extra_read=(_ATTACKER,),
    )
    environment = runner_environment(interpreter, scratch, hash_seed=1)
    return (locked_command(profile, command) if is_locked else command), environment
