"""What stands in for the clock, chance and other programs, as source text. Data only.

Each name is that of the standard library or of a common package; the values are what a person
would write into ``monkeypatch.setattr``.
"""

from __future__ import annotations

TICKS = "ticks = itertools.count(100)"
"""A clock that goes on by one second each time it is read, so that no loop waits for ever."""

FIXED: dict[str, tuple[str, ...]] = {
    "time.time": ("lambda: 1000.0", "lambda: next(ticks)", "lambda: 1709209800.0"),
    "time.time_ns": ("lambda: 1709209800000000000",),
    "time.monotonic": ("lambda: next(ticks)",),
    "time.monotonic_ns": ("lambda: next(ticks)",),
    "time.perf_counter": ("lambda: next(ticks)",),
    "time.perf_counter_ns": ("lambda: next(ticks)",),
    "time.process_time": ("lambda: next(ticks)",),
    "time.sleep": ("lambda seconds: None",),
    "uuid.uuid1": ("lambda: uuid.UUID(int=1)",),
    "uuid.uuid4": ("lambda: uuid.UUID(int=1)",),
    "secrets.token_hex": ("lambda *args: 'c0ffee'",),
    "secrets.token_urlsafe": ("lambda *args: 'c0ffee'",),
    "secrets.token_bytes": ("lambda *args: b'c0ffee'",),
    "secrets.choice": ("lambda items: items[0]", "lambda items: items[-1]"),
    "secrets.randbelow": ("lambda end: 0", "lambda end: end - 1"),
    "os.urandom": ("lambda size: b'a' * size",),
    "os.getpid": ("lambda: 1234",),
    "os.cpu_count": ("lambda: 4", "lambda: None"),
    "os.getlogin": ("lambda: 'ann'",),
    "getpass.getuser": ("lambda: 'ann'",),
    "getpass.getpass": ("lambda *args: 'secret'", "lambda *args: ''"),
    "socket.gethostname": ("lambda: 'host'",),
    "socket.getfqdn": ("lambda *args: 'host.example.com'",),
    "platform.system": ("lambda: 'Linux'", "lambda: 'Windows'", "lambda: 'Darwin'"),
    "platform.node": ("lambda: 'host'",),
    "platform.machine": ("lambda: 'x86_64'",),
    "shutil.which": ("lambda name: '/usr/bin/' + name", "lambda name: None"),
    "shutil.get_terminal_size": ("lambda *args: os.terminal_size((80, 24))",),
}
"""Functions whose result differs from run to run or from machine to machine."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "sys.platform": ("'linux'", "'win32'", "'darwin'"),
    "os.name": ("'posix'", "'nt'"),
}
"""The same for values that are no functions."""

MOMENTS = ("2024, 2, 29, 12, 30", "2023, 12, 31, 23, 59", "2024, 1, 1, 0, 0")
"""A Thursday at noon on a leap day, a Sunday at the end of a year, a Monday at the start of one."""

FIXED_DATETIME = """class FixedDatetime({kind}):
    @classmethod
    def {method}(cls{parameter}):
        return {kind}({moment}{argument})"""

FIXED_DATE = """class FixedDate({kind}):
    @classmethod
    def today(cls):
        return {kind}({moment})"""

FROM_RANDOM = "random.seed(1)", "random.seed(2)", "random.seed(3)"
"""The numbers that follow are the same from Python 3.9 to 3.13, whatever function takes them."""

OUTPUTS = ("", "done\n", "1.2.3\n", "first line\nsecond line\n", "1\n", "{}")
"""What another program or machine may answer."""

ENVIRONMENT = ("", "1", "0", "abc", "true", "10", "a,b", "/data")
LINES = ("", "yes\n", "n\n", "1\n2\n", "a b\n", "abc\n\n", "q\n")

IMPORTS: dict[str, str] = {
    r"\bio\.": "import io",
    r"\bconfigparser\.": "import configparser",
    r"\bET\.": "import xml.etree.ElementTree as ET",
    r"\bitertools\.": "import itertools",
    r"\buuid\.": "import uuid",
    r"\brandom\.": "import random",
    r"\brunpy\.": "import runpy",
    r"\bsys\.modules\b": "import sys",
    r"\bCompletedProcess\(": "from subprocess import CompletedProcess",
    r"\bCalledProcessError\(": "from subprocess import CalledProcessError",
    r"\bTimeoutExpired\(": "from subprocess import TimeoutExpired",
    r"\bURLError\(": "from urllib.error import URLError",
    r"\bMagicMock\(": "from unittest.mock import MagicMock",
    r"\bSimpleNamespace\(": "from types import SimpleNamespace",
    r"\bnullcontext\(": "from contextlib import nullcontext",
}
"""What a set-up has to import, by a pattern in its text."""

FAILURES: dict[str, str] = {
    "OSError": "OSError('down')",
    "IOError": "OSError('down')",
    "Exception": "OSError('down')",
    "ConnectionError": "ConnectionError('refused')",
    "ConnectionRefusedError": "ConnectionRefusedError('refused')",
    "TimeoutError": "TimeoutError('late')",
    "FileNotFoundError": "FileNotFoundError('not found')",
    "PermissionError": "PermissionError('denied')",
    "ValueError": "ValueError('wrong')",
    "RuntimeError": "RuntimeError('failed')",
    "KeyError": "KeyError('key')",
    "subprocess.CalledProcessError": "CalledProcessError(1, 'command')",
    "subprocess.SubprocessError": "CalledProcessError(1, 'command')",
    "subprocess.TimeoutExpired": "TimeoutExpired('command', 1)",
    "urllib.error.URLError": "URLError('down')",
    "socket.timeout": "TimeoutError('late')",
    "socket.error": "OSError('down')",
    "socket.gaierror": "OSError('down')",
}
"""What a call to the outside raises where the code has a handler for it."""
