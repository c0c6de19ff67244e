"""Starts a model's server, waits until it answers, gives a command its time, stops both.

    python bench/serving.py PLAN

The plan is a JSON text with ``server`` and ``command`` (lists), ``port``, ``budget`` in seconds
and ``result``, a file. The time that the server takes to load the model is not counted.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

_LOAD_SECONDS = 90.0


def is_up(port: int, server: subprocess.Popen[bytes]) -> bool:
    """Waits until the server lists its models; False if it ends or takes too long."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + _LOAD_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            opener.open(f"http://127.0.0.1:{port}/v1/models", timeout=5).close()
            return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks a process and its group to end, then kills them."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(10)
            return
        except (subprocess.TimeoutExpired, ProcessLookupError):
            continue


def main(plan: dict[str, Any]) -> None:
    """Runs the plan and writes its result."""
    said: dict[str, Any] = {"seconds": 0.0, "reason": None}
    server = subprocess.Popen(plan["server"], start_new_session=True)
    try:
        if not is_up(plan["port"], server):
            said["reason"] = "the model's server did not start"
            return
        start = time.monotonic()
        command = subprocess.Popen(plan["command"], start_new_session=True)
        try:
            code = command.wait(plan["budget"])
            said["reason"] = f"no test was kept; it ended with exit status {code}"
            said["seconds"] = time.monotonic() - start
        except subprocess.TimeoutExpired:
            said["reason"] = "no test was kept when the time was over"
            said["seconds"] = time.monotonic() - start
            stop(command)
    finally:
        stop(server)
        Path(plan["result"]).write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
