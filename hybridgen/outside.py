"""Names of what reaches other programs, machines and services: never called for real by a test."""

from __future__ import annotations

OUTSIDE = frozenset(
    {
        *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
        *("asyncio.open_connection", "asyncio.start_server", "ftplib", "http.client", "httpx"),
        *("imaplib", "multiprocessing", "poplib", "requests", "signal", "smtplib", "socket"),
        *("subprocess", "telnetlib", "urllib.request", "urllib3", "webbrowser", "xmlrpc"),
        *("aiohttp", "boto3", "ctypes", "paramiko", "psycopg", "psycopg2", "pymongo", "pymysql"),
        "redis",
    }
)
"""Modules and functions."""

OS_OUTSIDE = frozenset(
    {
        *("system", "popen", "fork", "forkpty", "kill", "killpg", "execv", "execve", "execl"),
        *("execlp", "execvp", "spawnl", "spawnv", "posix_spawn", "startfile", "abort", "_exit"),
        *("putenv", "unsetenv", "setuid", "setgid", "nice", "setpriority"),
    }
)
"""Functions of ``os``."""

HARMLESS = frozenset(
    {
        *("subprocess.CalledProcessError", "subprocess.CompletedProcess", "socket.htons"),
        *("subprocess.TimeoutExpired", "subprocess.list2cmdline", "socket.inet_aton"),
        *("urllib.request.Request", "urllib.request.pathname2url", "signal.Signals"),
    }
)
"""What of those modules only makes values."""


def is_outside(full: str) -> bool:
    """True if a function of that full dotted name reaches beyond this process."""
    base, _, name = full.rpartition(".")
    if full in HARMLESS or name.endswith(("Error", "Exception")):
        return False
    if base == "os":
        return name in OS_OUTSIDE
    return any(full == item or full.startswith(f"{item}.") for item in OUTSIDE)
