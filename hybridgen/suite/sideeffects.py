"""Does a case make the code under test touch more than its own values?

hybridgen observes in a sandbox, but the developer runs the written test without one: a call
that was stopped by the kernel here would delete a file there. So the lines that a case
executes are searched for calls that write files, start programs or use the network.

It sees the module under test only, not what other modules do on its behalf.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from hybridgen.domain import Observation
from hybridgen.suite.imports import imports_in
from hybridgen.suite.policy import words

_OUTSIDE = words(
    "asyncio.create_subprocess_exec asyncio.create_subprocess_shell asyncio.open_connection "
    "asyncio.start_server ftplib http.client httpx imaplib multiprocessing requests signal "
    "smtplib socket subprocess telnetlib urllib.request urllib3 webbrowser xmlrpc aiohttp "
    "boto3 ctypes paramiko psycopg2 pymysql"
)
_OS_OUTSIDE = words(
    "system popen fork forkpty kill killpg execv execve execl execlp execvp spawnl spawnv "
    "posix_spawn startfile abort _exit putenv unsetenv setuid setgid nice setpriority"
)
_OS_FILES = words(
    "remove unlink rmdir removedirs rename renames replace mkdir makedirs symlink link chmod "
    "chown lchown lchmod truncate utime mkfifo mknod setxattr chdir chroot open"
)
_FILES = words("shutil tempfile sqlite3 shelve dbm")
_SHUTIL_READS = frozenset(["which", "disk_usage", "get_terminal_size"])
_METHODS = words(
    "write_text write_bytes unlink rmdir mkdir touch chmod symlink_to hardlink_to rmtree"
)
_ARCHIVES = frozenset(["extractall"])


@dataclass(frozen=True, slots=True)
class Effects:
    """Lines of a module with calls that reach further than its own values."""

    files: frozenset[int]
    outside: frozenset[int]


def side_effect(observation: Observation, source: str) -> str | None:
    """Why a case is not safe to repeat without a sandbox, or None.

    Files may be written by cases that use ``tmp_path``.
    """
    effects = effects_of(source)
    lines = {line for arc in observation.arcs for line in arc if line > 0}
    if lines & effects.outside:
        return "starts programs or uses the network"
    uses_folder = "tmp_path" in observation.candidate.fixtures
    if lines & effects.files and not uses_folder:
        return "writes files outside of tmp_path"
    return None


@lru_cache(maxsize=16)
def effects_of(source: str) -> Effects:
    """Finds those lines in the text of a module; empty if it cannot be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return Effects(frozenset(), frozenset())
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for item in imports_in(node):
                full = f"{item.module}.{item.name}" if item.name else item.module
                known[item.bound] = full if item.name or item.alias else item.bound
    files: set[int] = set()
    outside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            kind = _kind(node, known)
            # The tracer names the first line of a statement, the call may stand further down.
            span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            if kind == "files":
                files.update(span)
            elif kind == "outside":
                outside.update(span)
    return Effects(frozenset(files), frozenset(outside))


def _kind(call: ast.Call, known: dict[str, str]) -> str | None:
    """``"files"``, ``"outside"`` or None for one call."""
    dotted = ast.unparse(call.func)
    root, _, rest = dotted.partition(".")
    full = f"{known.get(root, root)}.{rest}" if rest else known.get(root, root)
    base, _, name = full.rpartition(".")
    if base == "os":
        if name in _OS_OUTSIDE:
            return "outside"
        return "files" if name in _OS_FILES else None
    if any(full == item or full.startswith(f"{item}.") for item in _OUTSIDE):
        return "outside"
    top = full.partition(".")[0]
    if root in known and top in _FILES and name not in _SHUTIL_READS:
        return "files"
    is_open = full in ("open", "io.open", "codecs.open", "gzip.open") or name == "open"
    if is_open and _writes(call, is_method=full not in ("open", "io.open") and base != ""):
        return "files"
    return "files" if name in _METHODS or name in _ARCHIVES else None


def _writes(call: ast.Call, *, is_method: bool) -> bool:
    """True if the mode of an ``open`` call writes, or is not plain to see."""
    values = {item.arg: item.value for item in call.keywords}
    position = 0 if is_method else 1
    mode = values.get("mode", call.args[position] if len(call.args) > position else None)
    if mode is None:
        return False
    if not isinstance(mode, ast.Constant) or not isinstance(mode.value, str):
        return True
    return any(char in mode.value for char in "wax+")
