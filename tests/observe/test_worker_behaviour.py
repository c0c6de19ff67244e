"""What code under test does to the process of its worker, and to the clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from hybridgen.observe.process import WORKER_FILE, WorkerProcess

Ask = Callable[..., dict[str, Any]]
SHIFT = 400 * 86_400


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Ask]]:
    """Starts a worker without locks for modules given as text: its answers as they are."""
    workers = []

    def start(text: str, *, clock: int = 0, **more: str) -> Ask:
        project, folder = tmp_path / "project", tmp_path / f"worker{len(workers)}"
        project.mkdir(exist_ok=True)
        folder.mkdir()
        for name, content in {"sample": text, **more}.items():
            (project / f"{name}.py").write_text(dedent(content))
        command = [sys.executable, "-I", "-B", str(WORKER_FILE)]
        worker = WorkerProcess(command, {"PATH": os.environ["PATH"]}, folder)
        workers.append(worker)
        place = {"paths": [str(project)], "file": str(project / "sample.py")}
        load = {"op": "load", "name": "sample", "project": str(project), "clock": clock, **place}
        loaded = worker.ask(load, 20)
        assert loaded["ok"], loaded

        def ask(*codes: str, opinion: str | None = None) -> dict[str, Any]:
            steps = [
                {"code": code.lstrip("?"), "probe": code.startswith("?"), "opinion": opinion}
                for code in codes
            ]
            imports = ["from sample import *"]
            request = {"op": "run", "imports": imports, "fixtures": [], "steps": steps}
            return worker.ask(request, 20)

        return ask

    yield start
    for worker in workers:
        worker.close()


def value_of(answer: dict[str, Any]) -> str:
    step = answer["steps"][-1]
    assert step["status"] == "ok", answer
    return str(step["checks"][0]["expression"])


# ---- the clock

CLOCK = """
    import copy, datetime as module, functools, pickle, time
    from dataclasses import dataclass, field
    from datetime import date, datetime, timezone

    class Moment(datetime):
        pass

    class Day(date):
        pass

    @dataclass
    class Event:
        at: datetime = field(default_factory=datetime.now)

    @functools.singledispatch
    def show(x):
        return "other"

    @show.register(date)
    def _(x):
        return "day"
"""


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now().timestamp()", "datetime.now(timezone.utc).timestamp()",
        "datetime.now(tz=timezone.utc).timestamp()", "datetime.today().timestamp()",
        "Moment.now().timestamp()", "Event().at.timestamp()", "time.time_ns() / 1e9",
        "time.mktime(time.localtime())", "time.mktime(time.localtime(None))",
        "time.mktime(time.strptime(time.ctime()))", "time.mktime(time.strptime(time.asctime()))",
        "float(time.strftime('%s'))", "module.datetime.now().timestamp()",
        "datetime.combine(date.today(), module.time(12)).timestamp()",
        "datetime.combine(Day.today(), module.time(12)).timestamp()",
    ],
)  # fmt: skip
def test_every_way_to_ask_for_the_time_is_shifted(start: Callable[..., Ask], code: str) -> None:
    ask = start(CLOCK, clock=SHIFT)
    shifted = f"abs({code} - {SHIFT} - module_now()) < 100_000"
    real = "import os\nmodule_now = lambda: os.stat('/proc/self').st_mtime"
    assert value_of(ask(real, "?" + shifted)) == "True"


@pytest.mark.parametrize(
    "code",
    [
        "type(datetime.now()) is datetime", "type(Moment.now()) is Moment",
        "type(Day.today()) is Day", "isinstance(datetime.now(), date)",
        "pickle.loads(pickle.dumps(datetime(2024, 1, 2))) == datetime(2024, 1, 2)",
        "copy.deepcopy(Event(datetime(2024, 1, 2))) == Event(datetime(2024, 1, 2))",
        "show(datetime(2024, 1, 2)) == 'day'", "type(datetime.fromtimestamp(0)) is datetime",
        "type(datetime.strptime('2024', '%Y')) is datetime",
        "repr(date(2024, 1, 2)) == 'datetime.date(2024, 1, 2)'",
        "time.strftime('%Y', time.gmtime(0)) == '1970'", "time.gmtime(0).tm_year == 1970",
    ],
)  # fmt: skip
def test_shifted_clock_leaves_the_types_as_they_are(start: Callable[..., Ask], code: str) -> None:
    assert value_of(start(CLOCK, clock=SHIFT)("?" + code)) == "True"


def test_deprecated_clock_warns_as_the_real_one(start: Callable[..., Ask]) -> None:
    text = "import datetime\ndef f():\n    return datetime.datetime.utcnow().year > 2000\n"
    for clock in (0, SHIFT):
        step = start(text, clock=clock)("?f()")["steps"][0]
        assert step["warnings"] == (["DeprecationWarning"] if sys.version_info >= (3, 12) else [])


def runs(python: Path) -> bool:
    """False for the stand-ins that version managers put on the path."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13", "3.14"])
def test_clock_and_values_work_on_other_pythons(version: str, tmp_path: Path) -> None:
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    paths = [
        *(folder / f"python{version}" for folder in folders),
        *Path.home().glob(f".pyenv/versions/{version}.*/bin/python"),
    ]
    found = [path for path in paths if path.is_file() and runs(path)]
    if not found:
        pytest.skip(f"no Python {version} on the path")
    (tmp_path / "sample.py").write_text(
        "import datetime, enum\nclass F(enum.Flag):\n    A = 1\n    B = 2\n"
        "def f():\n    return [datetime.datetime.now().year > 2200, F.A | F.B]\n"
    )
    (tmp_path / "scratch").mkdir()
    command = [str(found[0]), "-I", "-B", str(WORKER_FILE)]
    worker = WorkerProcess(command, {"PATH": "/usr/bin"}, tmp_path / "scratch")
    place = {"paths": [str(tmp_path)], "file": str(tmp_path / "sample.py")}
    load = {"op": "load", "name": "sample", "project": str(tmp_path), "clock": 10**10, **place}
    step = {"code": "f()", "probe": True, "opinion": None}
    run = {"op": "run", "imports": ["from sample import f"], "fixtures": [], "steps": [step] * 2}
    try:
        assert worker.ask(load, 20)["ok"]
        answer = worker.ask(run, 20)
    finally:
        worker.close()
    assert value_of(answer) == "[True, F.A | F.B]"
    assert not answer["dirty"]


# ---- what calls leave behind

LEAVING = """
    import builtins, collections, decimal, functools, itertools, json, locale, logging, os, random
    import signal, sys, threading, time
    import other

    table = collections.Counter(a=1)
    large = dict.fromkeys(range(100_000), 0)
    ids = itertools.count()
    dice = random.Random(1)
    log = logging.getLogger("sample")

    class Slotted:
        __slots__ = ("value",)

        def __init__(self):
            self.value = 1

    one = Slotted()

    def collect(x, found=[]):
        found.append(x)

    def counter():
        total = 0
        def count():
            nonlocal total
            total += 1
            return total
        return count

    count = counter()

    @functools.lru_cache(maxsize=None)
    def cached(x):
        return x

    def nested(x):
        other.settings["level"] = x

    def start_thread():
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()

    def remove_folder():
        os.mkdir("gone")
        os.chdir("gone")
        os.rmdir(os.getcwd())
"""


@pytest.mark.parametrize(
    "code",
    [
        "table.update('a')", "large.popitem()", "next(ids)", "dice.random()", "collect(1)",
        "count()", "nested(2)", "setattr(one, 'value', 2)", "log.setLevel(10)",
        "logging.getLogger().setLevel(10)", "logging.disable(50)", "os.chdir('/')",
        "os.environ.update(PATH='/tmp')", "setattr(builtins, 'len', max)",
        "setattr(json, '__name__', 'json') or sys.modules.update(json=other)",
        "locale.setlocale(locale.LC_ALL, 'C.UTF-8')", "sys.setrecursionlimit(500)",
        "setattr(decimal.getcontext(), 'prec', 5)", "signal.alarm(30)", "start_thread()",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)", "sys.path.append('/x')",
        "remove_folder()", "setattr(Slotted, 'extra', 1)", "setattr(collect, 'calls', 1)",
        "setattr(time, 'sleep', None)",
    ],
)  # fmt: skip
def test_change_that_a_later_call_could_see_makes_the_worker_stale(
    start: Callable[..., Ask], code: str
) -> None:
    ask = start(LEAVING, other="settings = {}")
    imports = "import builtins, decimal, json, locale, logging, os, signal, sys, time, other"
    assert not ask(imports, "?1")["dirty"]
    assert ask(imports, "?" + code)["dirty"]


@pytest.mark.parametrize(
    "code", ["random.random()", "cached(1)", "print('x')", "log.debug('x')", "Slotted()", "[large]"]
)
def test_what_can_be_put_back_or_matters_to_nobody_does_not(
    start: Callable[..., Ask], code: str
) -> None:
    ask = start(LEAVING, other="settings = {}")
    assert not ask("?" + code)["dirty"]
    assert not ask("?" + code)["dirty"]


def test_looking_twice_at_nested_tables_of_enum_members_sees_no_change(
    start: Callable[..., Ask],
) -> None:
    ask = start(
        """
        import enum

        class Status(enum.Enum):
            NEW = "new"
            OLD = "old"

        NEXT = {Status.NEW: {Status.OLD}, Status.OLD: set()}
        DEEP = {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}

        def f(status):
            return bool(NEXT[status])
        """
    )
    assert not ask("from sample import Status, f", "?f(Status.NEW)")["dirty"]


def test_seed_set_by_one_candidate_is_not_seen_by_the_next(start: Callable[..., Ask]) -> None:
    ask = start(LEAVING, other="settings = {}")
    assert not ask("random.seed(1)", "?round(random.random(), 3) == 0.134")["dirty"]
    assert value_of(ask("?random.random()")) != value_of(ask("random.seed(1)", "?random.random()"))


def test_cache_of_an_earlier_candidate_does_not_hide_lines(start: Callable[..., Ask]) -> None:
    ask = start(LEAVING, other="settings = {}")
    assert ask("?cached(1)")["arcs"] == ask("?cached(1)")["arcs"] != []


def test_looking_at_the_state_is_cheap_for_any_module(start: Callable[..., Ask]) -> None:
    driver = f"""
import sys, time, types, importlib.util
spec = importlib.util.spec_from_file_location("worker", {str(WORKER_FILE)!r})
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
def cost(text):
    session = worker.Session("/nowhere")
    session.module = types.ModuleType("sample")
    exec(text, vars(session.module))
    shot = worker.Snapshot(session)
    best = 1.0
    for _ in range(20):
        begin = time.perf_counter()
        assert not shot.is_stale()
        best = min(best, time.perf_counter() - begin)
    return best * 1000
many = "".join(f"def f{{i}}(x, y=[1]): return x\\n" for i in range(40))
small = cost("class A:\\n  x = 1\\n" + many)
wide = cost("d = dict.fromkeys(range(100_000), [1])\\ne = [[[[[1] * 90] * 90] * 90] * 90] * 90")
print(small, wide)
"""
    command = [sys.executable, "-I", "-c", driver]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    small, wide = map(float, done.stdout.split())
    assert small < 2
    assert wide < 20, done.stdout


# ---- hostile behaviour


@pytest.mark.parametrize(
    "body",
    [
        "import sys; sys.stdout = None; sys.stderr = 5",
        "import sys; sys.stdout.close()",
        "import sys; sys.settrace(lambda *a: None)",
        "import sys; sys.setrecursionlimit(100)",
        "import os; os.closerange(0, 20)",
        "import os; os.mkdir('d'); os.chdir('d'); os.rmdir('../d')",
        "import sys; sys.exit(3)",
        "raise KeyboardInterrupt",
        "raise GeneratorExit",
        "import atexit; atexit.register(print)",
        "raise ModuleNotFoundError('x', name=object())",
        "raise type('\\udc80', (Exception,), {})('\\udc81')",
        "f()",
    ],
)
def test_candidate_with_bad_manners_gets_an_answer(start: Callable[..., Ask], body: str) -> None:
    ask = start(f"def f():\n    {body}\n")
    answer = ask("?f()")
    assert answer["error"] is None or answer["dirty"]
    json.dumps(answer, ensure_ascii=False)


def test_exception_that_cannot_give_its_text_is_still_an_exception(
    start: Callable[..., Ask],
) -> None:
    bad = "class Bad(Exception):\n    def __str__(self):\n        raise self\n"
    text = bad + "def f():\n    raise Bad\n"
    step = start(text)("?f()")["steps"][0]
    assert (step["raised"]["type_name"], step["raised"]["match"]) == ("Bad", "")


def test_message_that_no_file_could_hold_is_escaped(start: Callable[..., Ask]) -> None:
    step = start("def f():\n    raise ValueError('a \\udc80')\n")("?f()")["steps"][0]
    step["raised"]["match"].encode()
    step["raised"]["text"].encode()


def test_flood_of_output_is_not_kept(start: Callable[..., Ask]) -> None:
    ask = start("def f(n):\n    for _ in range(n):\n        print('x' * 1000)\n")
    assert ask("?f(1)")["steps"][0]["output"] == "x" * 1000 + "\n"
    assert ask("?f(20_000)")["steps"][0]["output"] == ""


def test_bytes_can_be_written_to_the_output_as_under_pytest(start: Callable[..., Ask]) -> None:
    text = "import sys\ndef f():\n    sys.stdout.buffer.write(b'raw')\n    print('é')\n"
    assert start(text)("?f()")["steps"][0]["output"] == "rawé\n"


def test_awaited_probe_is_run(start: Callable[..., Ask]) -> None:
    step = start("async def f():\n    return 7\n")("?await f()")["steps"][0]
    assert (step["wrap"], step["checks"][0]["expression"]) == ("", "7")


def test_step_that_is_not_valid_is_skipped_with_what_depends_on_it(
    start: Callable[..., Ask],
) -> None:
    answer = start("def f():\n    pass\n")("import nowhere", "?nowhere.x", "return 1", "?f()")
    statuses = [step["status"] for step in answer["steps"]]
    assert statuses == ["raised", "skipped", "skipped", "ok"]


def test_opinion_that_exits_is_no_opinion(start: Callable[..., Ask]) -> None:
    step = start("def f():\n    return 1\n")("?f()", opinion="exit()")["steps"][0]
    assert step["opinion_holds"] is None


def test_module_that_replaces_itself_can_be_tested(start: Callable[..., Ask]) -> None:
    text = """
        import sys
        class Lazy:
            __file__ = __file__
            def f(self):
                return 1
        sys.modules["sample"] = Lazy()
    """
    ask = start(text)
    assert not ask("import sample", "?sample.Lazy")["dirty"]


def test_object_of_a_sibling_module_is_watched_for_changes(start: Callable[..., Ask]) -> None:
    box = "class Box:\n    def __init__(self):\n        self.n = 1\n"
    ask = start("from other import Box\ndef f(box):\n    box.n = 2\n", other=box)
    [[name, checks]] = ask("box = Box()", "?f(box)")["steps"][1]["changed"]
    assert (name, [item["expression"] for item in checks]) == ("box", ["2"])


def test_hostile_global_or_class_costs_at_most_its_step(start: Callable[..., Ask]) -> None:
    text = """
        class Exits:
            def __getattribute__(self, name):
                raise SystemExit(name)

        class Nameless:
            __module__ = []

        one = Exits()
    """
    answer = start(text)("x = Nameless()", "?x", "?1")
    assert [step["status"] for step in answer["steps"]][-1] == "ok"
    assert not answer["dirty"]
