"""Which attack each process has to deny; what it may do by its work is not in here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hybridgen.proof import attacker

PROCESSES: Final[Mapping[str, str]] = {
    "broker": "the command itself: reads code, starts the others",
    "engine": "runs the model: reads prompts",
    "runner": "runs your code and generated tests",
    "nursery": "imports what your code imports from elsewhere, forks for changed versions of it",
    "mutant": "runs a changed version of your code, in a fork of the nursery",
    "courier": "sends what was cleared: alone reaches a network in a run",
    "puller": "fetches models: reaches a network, knows no project",
}

_EVERY: Final = {
    *("send_by_mptcp", "send_by_fast_open", "connect_to_unix", "make_datagram_pair"),
    *("open_netlink", "listen", "read_memory", "read_environment", "open_descriptor"),
    *("take_descriptor", "trace", "copy_memory"),
}
_READS_CODE: Final = {"send_by_tcp", "send_to_another_port", "set_fast_open", "send_by_udp"}
_BOUNDED: Final = {"read_home", "write_project", "write_beside", "link_project", "start_program"}
_ALONE: Final = {"change_mode", "run_from_memory", "fork", "send_signal", "become_a_program"}
_RUNNER: Final = _EVERY | _READS_CODE | _BOUNDED | _ALONE

DENIED: Final[Mapping[str, frozenset[str]]] = {
    "broker": frozenset(_EVERY | _READS_CODE | {"look_at_me"}),
    "engine": frozenset(_EVERY | _READS_CODE | _BOUNDED | _ALONE | {"read_project", "look_at_me"}),
    # It becomes the project's Python after its locks, and with that can be looked at again.
    "runner": frozenset(_RUNNER),
    "nursery": frozenset(_RUNNER - {"fork"} | {"look_at_me"}),
    "mutant": frozenset(_RUNNER | {"look_at_me"}),
    "courier": frozenset(
        _EVERY
        | _BOUNDED
        | _ALONE
        | {"send_to_another_port", "set_fast_open", "read_project", "look_at_me"}
    ),
    # Where pip and the hub are is said by the user's own settings, so its ports are not bounded.
    "puller": frozenset(
        _EVERY
        | _BOUNDED
        | {"set_fast_open", "read_project", "look_at_me", "run_from_memory", "become_a_program"}
    ),
}


def attacks_on(process: str) -> tuple[str, ...]:
    """The attacks that this machine knows and ``process`` has to deny, in a fixed order."""
    names = [*(one.__name__ for one in attacker.ATTACKS), attacker.become_a_program.__name__]
    mptcp = Path("/proc/sys/net/mptcp/enabled")
    impossible = set() if mptcp.exists() and mptcp.read_text().strip() == "1" else {"send_by_mptcp"}
    return tuple(name for name in names if name in DENIED[process] - impossible)


def in_words(attack: str) -> str:
    """What an attack tries, for people."""
    text = getattr(attacker, attack).__doc__ or attack
    return text.strip().rstrip(".")
