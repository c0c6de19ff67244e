"""The worker: runs candidates with the project's own Python. One file, standard library only.

It is started inside the runner's locks as ``python -I worker.py`` and talks JSON lines over the
descriptors that were its standard input and output; what the code under test reads or prints goes
elsewhere. It imports the module under test once, then answers requests until its input ends:

``load``    import a module (optionally under a shifted clock) -> did it work, from which file
``run``     execute one candidate -> per step: value as checks, exception, output, warnings; arcs
``pytest``  run real pytest on files -> outcome per test; arcs; where the module came from

Python 3.9 and newer. Arcs follow coverage.py's own rules for what a trace event means
(coverage/pytracer.py), so that its reports can be fed with them.
"""

import ast
import builtins
import contextlib
import datetime
import dis
import enum
import importlib
import io
import itertools
import json
import math
import os
import re
import sys
import threading
import time
import traceback
import types
import warnings

MAX_EXPRESSION = 400
MAX_OUTPUT = 2_000
ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
# What callers can rely on even where no raise statement of the project says so; any other type
# that a built-in operation raised (TypeError, AttributeError, IndexError ...) is an accident.
CONTRACT = (ValueError, KeyError, OSError, ArithmeticError, StopIteration, SystemExit)


# ---------------------------------------------------------------- lines and arcs


class Tracer:
    """Records (from line, to line) of one file as coverage.py does."""

    RESUME = dis.opmap.get("RESUME")
    RETURN, YIELD = dis.opmap["RETURN_VALUE"], dis.opmap["YIELD_VALUE"]
    YIELD_FROM = dis.opmap.get("YIELD_FROM", -1)
    LASTI_IS_YIELD = sys.version_info[:2] != (3, 13)

    def __init__(self, path):
        self.path = os.path.realpath(path)
        self.arcs = set()
        self.is_ours = {}
        self.bytecode = {}

    def __enter__(self):
        threading.settrace(self.trace)
        sys.settrace(self.trace)
        return self

    def __exit__(self, *exc):
        sys.settrace(None)
        threading.settrace(None)

    def trace(self, frame, event, arg):
        code = frame.f_code
        name = code.co_filename
        ours = self.is_ours.get(name)
        if ours is None:
            ours = self.is_ours[name] = os.path.realpath(name) == self.path
        return self.follow(frame, code) if ours else None

    def follow(self, frame, code):
        raw = self.bytecode.get(code)
        if raw is None:
            raw = self.bytecode[code] = code.co_code
        if self.RESUME is not None:
            is_call = raw[frame.f_lasti + 1] == 0
        else:
            is_call = frame.f_lasti < 0
        last = -code.co_firstlineno if is_call else frame.f_lineno
        arcs = self.arcs

        def local(frame, event, arg):
            nonlocal last
            if event == "line":
                arcs.add((last, frame.f_lineno))
                last = frame.f_lineno
            elif event == "return" and self.returns(raw, frame.f_lasti):
                if sys.version_info >= (3, 14) and frame.f_lineno != last:
                    arcs.add((last, frame.f_lineno))
                    last = frame.f_lineno
                arcs.add((last, -code.co_firstlineno))
            return local

        return local

    def returns(self, raw, at):
        """True for a real return, False for a yield that will be resumed."""
        if self.RESUME is not None:
            if len(raw) == at + 2:
                return True
            following = at + 2 if self.LASTI_IS_YIELD else at
            return raw[following] != self.RESUME
        if raw[at] == self.RETURN:
            return True
        if raw[at] == self.YIELD:
            return False
        return len(raw) <= at + 2 or raw[at + 2] != self.YIELD_FROM


# ---------------------------------------------------------------- a clock that can be shifted


def shift_clock(seconds):
    """Makes the wall clock of this process run ``seconds`` ahead, to find values made from it."""
    real_date, real_datetime = datetime.date, datetime.datetime
    delta = datetime.timedelta(seconds=seconds)
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + seconds * 10**9
    for name in ("localtime", "gmtime", "ctime"):
        real = getattr(time, name)
        setattr(time, name, lambda at=None, real=real: real(now() + seconds if at is None else at))
    real_strftime, shifted_local = time.strftime, time.localtime
    time.strftime = lambda form, at=None: real_strftime(form, shifted_local() if at is None else at)

    class Instances(type):
        # Only the two stand-ins have "real" in their own body; classes derived from them do not.
        def __instancecheck__(cls, value):
            if "real" in cls.__dict__:
                return isinstance(value, cls.real)
            return type.__instancecheck__(cls, value)

        def __subclasscheck__(cls, other):
            if "real" in cls.__dict__:
                return issubclass(other, cls.real)
            return type.__subclasscheck__(cls, other)

        def __call__(cls, *args, **kwargs):
            if "real" in cls.__dict__:
                return cls.real(*args, **kwargs)
            return type.__call__(cls, *args, **kwargs)

    def stand_in(real, members):
        body = dict(members, real=real, __module__="datetime", __doc__=real.__doc__)
        return Instances(real.__name__, (real,), body)

    date_members = {"today": classmethod(lambda cls: (real_datetime.now() + delta).date())}
    time_members = {
        "now": classmethod(lambda cls, tz=None: real_datetime.now(tz) + delta),
        "today": classmethod(lambda cls: real_datetime.now() + delta),
        "utcnow": classmethod(lambda cls: real_datetime.fromtimestamp(now() + seconds, datetime.timezone.utc).replace(tzinfo=None)),
    }
    datetime.date = stand_in(real_date, date_members)
    datetime.datetime = stand_in(real_datetime, time_members)


# ---------------------------------------------------------------- values to expressions


class Plain(Exception):
    """This value has no expression that a test file could hold."""


PLAIN_TYPES = {datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone}


class Expression:
    """Source text for a value, with the imports it needs and what it is made of."""

    def __init__(self):
        self.imports = []
        self.has_fraction = False
        self.parents = []

    def need(self, module, name):
        line = "from %s import %s" % (module, name)
        if line not in self.imports:
            self.imports.append(line)
        return name

    def of(self, value):
        if id(value) in self.parents or len(self.parents) > 8:
            raise Plain
        self.parents.append(id(value))
        try:
            text = self.of_type(value, type(value))
        finally:
            self.parents.pop()
        if len(text) > MAX_EXPRESSION:
            raise Plain
        return text

    def of_type(self, value, kind):
        if value is None or value is Ellipsis or value is NotImplemented or kind in (bool, int, str, bytes):
            if kind in (int, str, bytes) and (value.bit_length() if kind is int else len(value)) > MAX_EXPRESSION * 4:
                raise Plain
            return repr(value)
        if kind is float:
            self.has_fraction |= math.isfinite(value) and value != int(value)
            return repr(value) if math.isfinite(value) else "float(%r)" % str(value)
        if kind is complex:
            self.has_fraction = True
            return repr(value)
        if kind in (list, tuple, set, frozenset, dict, bytearray, range, slice):
            return self.of_container(value, kind)
        if isinstance(value, enum.Enum):
            name = self.of_class(kind)
            if isinstance(value.name, str) and value.name in kind.__members__:
                return "%s.%s" % (name, value.name)
            raise Plain
        if isinstance(value, type):
            return self.of_class(value)
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return self.of_fields(kind, [(f, getattr(value, f)) for f in kind._fields])
        if hasattr(kind, "__dataclass_fields__"):
            fields = [f for f in kind.__dataclass_fields__.values() if f.init and f._field_type.name == "_FIELD"]
            return self.of_fields(kind, [(f.name, getattr(value, f.name)) for f in fields])
        return self.of_library(value, kind)

    def of_container(self, value, kind):
        if kind is bytearray:
            return "bytearray(%r)" % bytes(value)
        if kind in (range, slice):
            return repr(value)
        if len(value) > 60:
            raise Plain
        if kind is dict:
            return "{%s}" % ", ".join("%s: %s" % (self.of(k), self.of(v)) for k, v in value.items())
        items = [self.of(item) for item in value]
        if kind is list:
            return "[%s]" % ", ".join(items)
        if kind is tuple:
            return "(%s%s)" % (", ".join(items), "," if len(items) == 1 else "")
        items.sort()
        body = "{%s}" % ", ".join(items) if items else "set()"
        if kind is set:
            return body
        return "frozenset(%s)" % (body if items else "")

    def of_fields(self, kind, fields):
        name = self.of_class(kind)
        return "%s(%s)" % (name, ", ".join("%s=%s" % (key, self.of(value)) for key, value in fields))

    def of_class(self, kind):
        module = sys.modules.get(kind.__module__)
        if module is builtins and hasattr(builtins, kind.__qualname__):
            return kind.__qualname__
        outer = kind.__qualname__.split(".")[0]
        found = module
        for part in kind.__qualname__.split("."):
            found = getattr(found, part, None)
        if found is not kind or kind.__module__ in ("__main__", "builtins"):
            raise Plain
        self.need(kind.__module__, outer)
        return kind.__qualname__

    def of_library(self, value, kind):
        module, name = kind.__module__, kind.__name__
        if module == "datetime":
            text = repr(value)
            self.imports.append("import datetime")
            return text
        if module == "decimal" and name == "Decimal":
            return "%s(%r)" % (self.need("decimal", "Decimal"), str(value))
        if module == "fractions" and name == "Fraction":
            return "%s(%d, %d)" % (self.need("fractions", "Fraction"), value.numerator, value.denominator)
        if module == "uuid" and name == "UUID":
            return "%s(%r)" % (self.need("uuid", "UUID"), str(value))
        if module.startswith("pathlib"):
            pure = "PurePosixPath" if name.startswith("Pure") else "Path"
            return "%s(%r)" % (self.need("pathlib", pure), str(value))
        if module == "collections" and name == "Counter":
            return "%s(%s)" % (self.need("collections", "Counter"), self.of(dict(value)))
        if module == "collections" and name == "OrderedDict":
            return "%s(%s)" % (self.need("collections", "OrderedDict"), self.of(list(value.items())))
        if module == "collections" and name == "deque":
            return "%s(%s)" % (self.need("collections", "deque"), self.of(list(value)))
        raise Plain


def expression_of(value):
    """(source text, imports, has fractions) that rebuilds ``value`` equal and of equal type, or None."""
    builder = Expression()
    try:
        text = builder.of(value)
        namespace = {}
        for line in builder.imports:
            exec(line, namespace)
        other = eval(text, namespace)
        if type(other) is type(value) and bool(other == value) and bool(value == other):
            return text, builder.imports, builder.has_fraction
    except Exception:
        return None
    return None


def check(kind, path, expression, imports=()):
    return {"kind": kind, "path": path, "expression": expression, "imports": list(imports)}


def is_flat(value):
    """True if pytest.approx takes it as it stands."""
    leaves = value.values() if type(value) is dict else value
    return all(item is None or type(item) in (int, float, str, bool, complex) for item in leaves)


def checks_of(value, path="", depth=0):
    """The assertions that hold for ``value``, strongest form first found."""
    if value is None or value is True or value is False or value is Ellipsis:
        return [check("is", path, repr(value))]
    if type(value) is float and math.isnan(value):
        return [check("nan", path, "")]
    found = expression_of(value)
    if found is not None:
        text, imports, has_fraction = found
        if not has_fraction:
            return [check("equal", path, text, imports)]
        if type(value) in (float, complex) or (type(value) in (list, tuple, dict) and is_flat(value)):
            return [check("approx", path, text, imports)]
        if type(value) not in (list, tuple, dict):
            return [check("equal", path, text, imports)]
    if depth > 2:
        return []
    if isinstance(value, (str, bytes)) and type(value) in (str, bytes):
        return [check("length", path, str(len(value))), check("equal", path + "[:60]", repr(value[:60]))]
    if type(value) in (list, tuple, dict, set, frozenset, bytearray):
        return container_checks(value, path, depth)
    if isinstance(value, (types.GeneratorType, types.CoroutineType)) or (hasattr(value, "__next__") and hasattr(value, "__iter__")):
        return []
    return object_checks(value, path, depth)


def container_checks(value, path, depth):
    result = [check("length", path, str(len(value)))]
    if type(value) is dict:
        for key in list(value)[:6]:
            found = expression_of(key)
            if found and not found[1]:
                result += checks_of(value[key], "%s[%s]" % (path, found[0]), depth + 1)
    elif type(value) in (list, tuple):
        for index in range(min(len(value), 6)):
            result += checks_of(value[index], "%s[%d]" % (path, index), depth + 1)
    return result[:8]


def public_attributes(value):
    names = list(getattr(value, "__dict__", ()))
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
        names += [n for n, member in kind.__dict__.items() if isinstance(member, property) and kind is not object]
    return [name for name in dict.fromkeys(names) if isinstance(name, str) and not name.startswith("_")]


def object_checks(value, path, depth):
    result = [check("type", path, repr(type(value).__name__))]
    for base in (str, bytes, int, float, list, tuple, dict, set, frozenset):
        if isinstance(value, base):
            with contextlib.suppress(Exception):
                plain = base(value)
                if bool(value == plain):
                    result += [c for c in checks_of(plain, path, 3) if c["kind"] in ("equal", "approx")]
            return result
    if callable(value) or isinstance(value, types.ModuleType):
        return result
    for name in public_attributes(value)[:12]:
        try:
            inner = getattr(value, name)
        except Exception:
            continue
        if callable(inner):
            continue
        for item in checks_of(inner, "%s.%s" % (path, name), depth + 1):
            if item["kind"] != "type" or not item["path"].startswith(path + "."):
                result.append(item)
    if hasattr(type(value), "__len__"):
        with contextlib.suppress(Exception):
            result.append(check("length", path, str(len(value))))
    return result[:8]


# ---------------------------------------------------------------- running a candidate


def wrap_of(value):
    """The call that a test has to put around a value before it can be looked at, or an empty text."""
    if isinstance(value, types.CoroutineType):
        return "asyncio.run"
    is_iterator = hasattr(value, "__next__") and hasattr(value, "__iter__")
    return "list" if is_iterator and not isinstance(value, io.IOBase) else ""


def unwrap(value, wrap):
    if wrap == "asyncio.run":
        import asyncio

        return asyncio.run(value)
    if wrap == "list":
        items = list(itertools.islice(value, 1000))
        return items if len(items) < 1000 else object()
    return value


class Session:
    """The module under test, imported once, and the folders of this worker."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.module = None
        self.tracer = None
        self.root = ""
        self.count = 0
        self.raise_lines = {}

    def load(self, request):
        self.root = os.path.realpath(request["project"]) + os.sep
        for folder in reversed(request["paths"]):
            sys.path.insert(0, folder)
        sys.path.extend(request.get("more_paths", ()))
        if request["clock"]:
            shift_clock(request["clock"])
        self.tracer = Tracer(request["file"])
        try:
            with self.tracer, quiet():
                module = importlib.import_module(request["name"])
        except BaseException as error:
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            where = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(self.root)]
            return {
                "ok": False,
                "error": "%s: %s" % (type(error).__name__, str(error)[:300]),
                "missing": missing,
                "line": where[-1].lineno if where else None,
                "where": where[-1].filename if where else None,
            }
        self.module = module
        found = getattr(module, "__file__", None) or ""
        same = os.path.realpath(found) == os.path.realpath(request["file"])
        return {
            "ok": same, "found": found, "error": None, "arcs": sorted(self.tracer.arcs),
            "version": "%d.%d.%d" % sys.version_info[:3],
        }

    def run(self, request):
        self.count += 1
        here = os.path.join(self.scratch, "tmp_path", str(self.count))
        namespace = {"__name__": "candidate", "__builtins__": builtins}
        self.tracer.arcs = set()
        before = self.state()
        for line in request["imports"]:
            try:
                exec(line, namespace)
            except Exception as error:
                return {"steps": [], "arcs": [], "error": "%s: %s" % (type(error).__name__, error)}
        if "tmp_path" in request["fixtures"]:
            os.makedirs(here)
            from pathlib import Path

            namespace["tmp_path"] = Path(here)
        results, broken = [], set()
        for step in request["steps"]:
            result = self.step(step, namespace, broken)
            results.append(result)
        return {"steps": results, "arcs": sorted(self.tracer.arcs), "dirty": self.state() != before, "error": None}

    def step(self, step, namespace, broken):
        tree = ast.parse(step["code"], mode="eval" if step["probe"] else "exec")
        used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        if used & broken:
            broken |= bound
            return {"status": "skipped"}
        watched = self.watched(used, namespace)
        code = compile(tree, "<candidate>", "eval" if step["probe"] else "exec")
        output, value = io.StringIO(), None
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("always")
            try:
                with self.tracer:
                    value = eval(code, namespace)
                    wrap = wrap_of(value) if step["probe"] else ""
                    value = unwrap(value, wrap)
            except BaseException as error:
                sys.settrace(None)
                broken |= bound
                return {"status": "raised", "raised": self.raised(error), "opinion_holds": self.raise_opinion(step, error)}
        result = {"status": "ok", "output": output.getvalue()[:MAX_OUTPUT]}
        result["warnings"] = sorted({w.category.__name__ for w in caught if w.category.__module__ == "builtins" and self.is_project(w.filename)})
        if step["probe"]:
            result["wrap"] = wrap
            with quiet():
                result["checks"] = checks_of(value)
                result["opinion_holds"] = self.opinion(step, value, namespace)
        changed = [[name, checks] for name, checks in self.watched(used, namespace).items() if checks != watched.get(name)]
        result["changed"] = [[name, [c for c in checks if c not in watched.get(name, ())]] for name, checks in changed if name in watched]
        return result

    def is_project(self, filename):
        return filename == "<candidate>" or os.path.realpath(filename).startswith(self.root)

    def watched(self, used, namespace):
        """The checks of every mutable local value that a step can reach by name."""
        result = {}
        for name in used:
            value = namespace.get(name)
            if isinstance(value, (type, types.ModuleType, types.FunctionType)) or callable(value):
                continue
            if type(value) in (list, dict, set, bytearray) or type(value).__module__ == getattr(self.module, "__name__", ""):
                with quiet(), contextlib.suppress(Exception):
                    result[name] = checks_of(value)
        return result

    def opinion(self, step, value, namespace):
        text = step.get("opinion")
        if not text or text.startswith("raises"):
            return False if text else None
        try:
            return bool(eval(text, dict(namespace, _=value)))
        except Exception:
            return None

    def raise_opinion(self, step, error):
        text = step.get("opinion")
        if not text:
            return None
        return text.startswith("raises") and text.split()[-1].split(".")[-1] in [k.__name__ for k in type(error).__mro__]

    def raised(self, error):
        kind = type(error)
        frames = [(f.f_code.co_filename, line) for f, line in traceback.walk_tb(error.__traceback__)]
        inside = [(name, line) for name, line in frames if name != "<candidate>" and os.path.realpath(name).startswith(self.root)]
        deliberate = False
        if inside:
            by_statement = self.is_raise(*inside[-1]) and isinstance(error, (Exception, SystemExit))
            deliberate = by_statement or isinstance(error, CONTRACT)
        text = str(error)
        match = ""
        if inside and self.is_raise(*inside[-1]) and 0 < len(text) <= 200 and "\n" not in text:
            if not ADDRESS.search(text) and self.scratch not in text:
                match = re.escape(text).replace("\\ ", " ")
        type_import = ""
        if kind.__module__ != "builtins":
            type_import = "from %s import %s" % (kind.__module__, kind.__name__)
            if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is not kind:
                deliberate = False
        return {
            "type_name": kind.__name__, "type_import": type_import, "match": match,
            "is_deliberate": deliberate, "is_inside": bool(inside), "text": text[:300],
        }

    def is_raise(self, filename, line):
        """True if that line of the project belongs to a raise or assert statement."""
        if filename not in self.raise_lines:
            lines = set()
            with contextlib.suppress(Exception):
                with open(filename, "rb") as file:
                    tree = ast.parse(file.read())
                for node in ast.walk(tree):
                    if isinstance(node, (ast.Raise, ast.Assert)):
                        lines.update(range(node.lineno, node.end_lineno + 1))
            self.raise_lines[filename] = lines
        return line in self.raise_lines[filename]

    def state(self):
        """A fingerprint of what calls can leave behind: module globals, class attributes, process."""
        parts = [os.getcwd(), len(os.environ), threading.active_count(), tuple(sys.path)]
        for name, value in vars(self.module).items():
            if name.startswith("__"):
                continue
            if isinstance(value, type) and value.__module__ == self.module.__name__:
                parts += [(name, key, self.print_of(item, 0)) for key, item in vars(value).items() if not key.startswith("__")]
            else:
                parts.append((name, self.print_of(value, 0)))
        return parts

    def print_of(self, value, depth):
        if value is None or isinstance(value, (bool, int, float, str, bytes)):
            return value
        if depth < 4 and type(value) in (list, tuple, set, frozenset) and len(value) < 500:
            return type(value).__name__, [self.print_of(item, depth + 1) for item in value]
        if depth < 4 and type(value) is dict and len(value) < 500:
            return [(self.print_of(k, depth + 1), self.print_of(v, depth + 1)) for k, v in value.items()]
        if depth < 3 and type(value).__module__ == self.module.__name__ and hasattr(value, "__dict__"):
            return id(value), self.print_of(vars(value), depth + 1)
        return id(value), len(value) if isinstance(value, (list, dict, set)) else 0


@contextlib.contextmanager
def quiet():
    """Swallows what project code prints while we import it or look at its values."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# ---------------------------------------------------------------- real pytest


class Recorder:
    """A pytest plugin: orders the tests and keeps one outcome a test."""

    def __init__(self, order, select, without):
        self.order, self.select, self.without = order, select, frozenset(without)
        self.outcomes, self.errors = {}, []

    def pytest_collection_modifyitems(self, items):
        named = [(item, item.name.split("[")[0]) for item in items]
        if self.select is not None:
            named = [(item, name) for item, name in named if name in self.select]
        items[:] = [item for item, name in named if name not in self.without]
        if self.order:
            import random

            random.Random(self.order).shuffle(items)

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = report.outcome
            if report.outcome == "failed":
                self.errors.append([report.nodeid, str(report.longrepr)[-600:]])

    def pytest_collectreport(self, report):
        if report.failed:
            self.errors.append([report.nodeid, str(report.longrepr)[-600:]])


def run_pytest(request):
    os.chdir(request["folder"])
    sys.path.extend(request.get("more_paths", ()))
    if request["clock"]:
        shift_clock(request["clock"])
    try:
        import pytest
    except ImportError as error:
        return {"ok": False, "error": "pytest cannot be imported: %s" % error}
    recorder = Recorder(request["order"], request["select"], request["without"])
    tracer = Tracer(request["file"])
    with tracer:
        status = pytest.main(request["arguments"], plugins=[recorder])
    module = sys.modules.get(request["name"])
    return {
        "ok": True, "status": int(status), "outcomes": recorder.outcomes, "errors": recorder.errors[:20],
        "arcs": sorted(tracer.arcs), "found": os.path.realpath(module.__file__) if getattr(module, "__file__", None) else None,
        "version": getattr(pytest, "__version__", "?"),
    }


def serve(requests, answers, scratch):
    session = Session(scratch)
    for line in requests:
        request = json.loads(line)
        operation = request["op"]
        if operation == "load":
            answer = session.load(request)
        elif operation == "run":
            answer = session.run(request)
        else:
            answer = run_pytest(request)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
    os._exit(0)  # threads that project code left behind do not keep us alive


def main():
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")
    serve(requests, answers, os.path.realpath(os.getcwd()))


if __name__ == "__main__":
    main()
