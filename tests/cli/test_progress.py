"""The progress line, on a real pseudo-terminal."""

import fcntl
import io
import os
import pty
import select
import struct
import termios
import threading

import pytest

from hybridgen.cli.progress import SilentProgress, TerminalProgress, open_progress

COLUMNS = 40


@pytest.fixture
def terminal(monkeypatch):
    """A stream to a terminal, and a function that reads what it was sent."""
    monkeypatch.setenv("TERM", "xterm")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        yield stream, lambda: _arrived(master)
    os.close(master)


def _arrived(master):
    """All that was sent: the kernel hands it on in pieces, a moment after it was written."""
    pieces = []
    while select.select([master], [], [], 0.5)[0]:
        pieces.append(os.read(master, 65536))
    return b"".join(pieces).decode()


def test_the_first_line_is_there_at_once(terminal):
    stream, shown = terminal
    progress = open_progress(stream)
    assert isinstance(progress, TerminalProgress)
    assert shown() == "\r\x1b[K  0 s  starting"


def test_module_stage_and_count_are_shown_on_one_line(terminal):
    stream, shown = terminal
    progress = TerminalProgress(stream, seconds_between_draws=0)
    progress.module("a.py")
    progress.stage("running")
    progress.advance(3, 9)
    progress.advance()
    progress.stage("writing")
    lines = shown().split("\r\x1b[K")
    assert lines[2:] == [
        "  0 s  a.py  starting",
        "  0 s  a.py  running",
        "  0 s  a.py  running 3/9",
        "  0 s  a.py  running 3/9",
        "  0 s  a.py  writing",
    ]


def test_the_line_never_wraps_nor_steers_the_terminal(terminal):
    stream, shown = terminal
    progress = TerminalProgress(stream)
    progress.module("\x1b[31m\n" + "long/" * 30)
    line = shown().split("\r\x1b[K")[-1]
    assert len(line) < COLUMNS
    assert line.startswith("  0 s  \\x1b[31m long/")


def test_closing_erases_the_line_once(terminal):
    stream, shown = terminal
    progress = TerminalProgress(stream)
    progress.close()
    progress.close()
    assert shown() == "\r\x1b[K  0 s  starting\r\x1b[K"


def test_fast_advances_are_drawn_seldom(terminal):
    stream, shown = terminal
    progress = TerminalProgress(stream, seconds_between_draws=3600)
    for number in range(1000):
        progress.advance(number)
    assert shown().count("\r") == 1


def test_it_starts_no_thread(terminal):
    stream, _ = terminal
    before = threading.active_count()
    TerminalProgress(stream).stage("x")
    assert threading.active_count() == before


def test_pipes_and_dumb_terminals_see_nothing(terminal, monkeypatch):
    stream, _ = terminal
    pipe = io.StringIO()
    progress = open_progress(pipe)
    progress.module("a.py")
    progress.stage("running")
    progress.advance(1, 2)
    progress.close()
    assert pipe.getvalue() == ""
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_progress(stream), SilentProgress)
