"""A network in which every address is this machine, and all that is sent is seen.

Run by ``unshare --map-root-user --net``: a default route leads to the loopback interface, so that
no packet is lost for want of a way, and a raw socket sees all of them. The first argument is JSON:
``commands`` to run, ``folder`` for sockets, ``known``, a name for this machine, and ``settings``, a
file in which ``SERVER`` stands for the address of the server that may be spoken to.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from hybridgen.backends.fake_openai import FakeOpenai

_MARK = re.compile(rb"(?:zebra|giraffe)-[a-z0-9-]+")
_ALL, _OUTGOING = 3, 4
_STATISTICS, _LEVEL = 6, 263


class Wire:
    """Sees every packet of every protocol."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 2**20)
        self._socket.settimeout(0.3)
        self._packets: list[bytes] = []
        self._is_over = False
        self._thread = threading.Thread(target=self._see, daemon=True)
        self._thread.start()

    def _see(self) -> None:
        while True:
            try:
                packet, address = self._socket.recvfrom(1 << 17)
            except TimeoutError:
                if self._is_over:
                    return
                continue
            if address[2] == _OUTGOING:  # each comes twice: as it leaves, and as it arrives
                self._packets.append(packet)

    def end(self) -> tuple[list[bytes], int]:
        """All packets, and how many were missed."""
        self._is_over = True
        self._thread.join()
        _, missed = struct.unpack("II", self._socket.getsockopt(_LEVEL, _STATISTICS, 8))
        self._socket.close()
        return self._packets, missed


def flow(packet: bytes) -> str:
    """Protocol and both ends of a packet, as text."""
    kind, body = packet[12:14], packet[14:]
    if kind == b"\x08\x00":
        protocol, ends, rest = body[9], (body[12:16], body[16:20]), body[(body[0] & 15) * 4 :]
        family = socket.AF_INET
    elif kind == b"\x86\xdd":
        protocol, ends, rest = body[6], (body[8:24], body[24:40]), body[40:]
        family = socket.AF_INET6
    else:
        return f"frame {kind.hex()}"
    hosts = [socket.inet_ntop(family, end) for end in ends]
    if protocol not in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
        return f"protocol-{protocol} {hosts[0]} {hosts[1]}"
    ports = struct.unpack(">HH", rest[:4])
    name = "tcp" if protocol == socket.IPPROTO_TCP else "udp"
    return f"{name} {hosts[0]}:{ports[0]} {hosts[1]}:{ports[1]}"


def question(packet: bytes) -> str:
    """The name that a query to a name server asks for."""
    rest, words = packet[14 + 20 + 8 + 12 :], []
    while rest and rest[0]:
        words.append(rest[1 : rest[0] + 1].decode(errors="replace"))
        rest = rest[rest[0] + 1 :]
    return ".".join(words)


class Catchers:
    """What answers in this network: the web, names, and two unix sockets."""

    def __init__(self, folder: str, known: str) -> None:
        self.caught: list[bytes] = []
        self._known = known
        self._web = socket.create_server(("", 80), backlog=64)
        self._stream = socket.socket(socket.AF_UNIX)
        self._stream.bind("\0catcher")
        self._stream.listen()
        self._datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._datagrams.bind(f"{folder}/catcher")
        # Takes datagrams to the port that all ways use, so that no error comes back.
        self._sink = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self._sink.bind(("", 9))
        self._names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._names.bind(("", 53))
        self._names.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO: who was asked answers
        for work in (self._serve_web, self._serve_stream, self._serve_datagrams, self._serve_names):
            threading.Thread(target=work, daemon=True).start()

    def _serve_web(self) -> None:
        while True:
            self._take(self._web)

    def _serve_stream(self) -> None:
        while True:
            self.caught.append(self._take(self._stream))

    def _take(self, listener: socket.socket) -> bytes:
        one, _ = listener.accept()
        with one:
            one.settimeout(0.5)
            try:
                return one.recv(1 << 16)
            except OSError:
                return b""

    def _serve_datagrams(self) -> None:
        while True:
            self.caught.append(self._datagrams.recv(1 << 16))

    def _serve_names(self) -> None:
        while True:
            query, ancillary, _, asker = self._names.recvmsg(4096, 128)
            end = query.index(b"\0", 12) + 5
            is_known = question(bytes(42) + query) == self._known
            has_address = is_known and query[end - 4 : end - 2] == b"\0\1"
            head = query[:2] + (b"\x81\x80" if is_known else b"\x81\x83") + b"\0\1"
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x0a\0\4\x7f\0\0\1" if has_address else b""
            answer = head + struct.pack(">HHH", has_address, 0, 0) + query[12:end] + record
            # From the address that was asked, whichever it was.
            asked = ancillary[0][2][8:12]
            self._names.sendmsg(
                [answer],
                [(socket.IPPROTO_IP, 8, struct.pack("=I", 0) + asked + bytes(4))],
                0,
                asker,
            )


def watched(command: dict[str, Any], catchers: Catchers, server: FakeOpenai) -> dict[str, Any]:
    """What one command sent."""
    catchers.caught.clear()
    server.play([{"kind": "text", "text": "fee(596138)\n"}])
    wire = Wire()
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(("203.0.113.7", 9))  # which sends nothing yet
    began = time.monotonic()
    done = subprocess.run(
        command["argv"],
        cwd=command["folder"],
        env=command["environment"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=200,
        pass_fds=(out.fileno(),),
        check=False,
    )
    seconds = time.monotonic() - began
    packets, missed = wire.end()
    out.close()
    text = b"\n".join((*packets, *catchers.caught))
    flows = {flow(packet): packet for packet in packets}
    return {
        "code": done.returncode,
        "output": done.stdout + done.stderr,
        "seconds": seconds,
        "missed": missed,
        "marks": sorted({mark.decode() for mark in _MARK.findall(text)}),
        "flows": sorted(flows),
        "names": sorted({question(p) for name, p in flows.items() if name.endswith(":53")}),
        "caught": len(catchers.caught),
        "requests": len(server.requests),
    }


def main() -> None:
    """Prints what each command sent, as JSON; the first is a look at an idle network."""
    job = json.loads(sys.argv[1])
    for line in (
        "link set lo up",
        "route add local default dev lo",
        "-6 route add local default dev lo",
    ):
        subprocess.run(["ip", *line.split()], check=True)
    catchers = Catchers(job["folder"], job["known"])
    with FakeOpenai() as server:
        port = server.url.rpartition(":")[2]
        try:
            is_known = socket.gethostbyname(job["known"]) == "127.0.0.1"
        except OSError:
            is_known = False
        host = job["known"] if is_known else "127.0.0.1"
        settings = Path(job["settings"])
        settings.write_text(settings.read_text().replace("SERVER", f"{host}:{port}/v1"))
        found = [watched(command, catchers, server) for command in job["commands"]]
    json.dump({"server": f"127.0.0.1:{port}", "host": host, "found": found}, sys.stdout)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
