"""Kernel locks for every process of hybridgen that reads code or reaches a network.

=========  =====================================  ==============================================
profile    process                                how it is locked
=========  =====================================  ==============================================
broker     the command itself                     by itself (``own.py``), before it reads code
engine     the model                              by itself, before it opens the model file
runner     code under test, generated tests       by ``launch.py``, before its Python starts
courier    sends what the gate has cleared        by itself, once it knows the ports
puller     ``hybridgen models pull``              by itself, before it asks the hub or the index
=========  =====================================  ==============================================

Locks are taken while a process has one thread, else it ends; they need no right and no set-up, are
inherited by all that it starts, and cannot be taken off.

What all profiles cover: no io_uring, no server (bind, listen, accept), no unix, netlink, raw, vsock
or multipath sockets, no datagram pairs; no tracing, memory, descriptors or environment of processes
outside (seccomp, and a Landlock domain of its own); no mounts, namespaces, modules, bpf, perf,
keyrings, userfaultfd, clocks, reboot; no 32-bit or x32 calls; calls newer than the table answer
ENOSYS. ``no_new_privs`` is set, and of root's capabilities only those about files are left.

- ``broker`` besides: no socket of any kind; those that it was started with, or that a library
  opened before, are shut, but for its standard streams. It may read, change and start what its user
  may, since it is the user's own command; what it starts has these locks too.
- ``engine`` besides: no socket; reads its model file, our Python and the system's runtime; writes
  /dev/null; starts no program and no process, not even from memory; no metadata, no signals. Its
  log was opened before, by the broker. Where the settings ask for a graphics card, it also reads
  and writes the card's device files, reads /sys and what drivers read (``cards.py``), and makes the
  ioctls of drivers, not those of terminals and file systems; not tried with a real card.
- ``courier`` besides: TCP and UDP over IPv4 and IPv6 only, no fast open; TCP to the ports in the
  settings, the proxy's and 53; reads the standard library, shared libraries, of installed packages
  only hybridgen and those that it sends with, names and certificates of hosts; writes /dev/null;
  starts nothing; no metadata, no signals.
- ``puller`` besides: TCP and UDP as the courier, to any port; reads the standard library, shared
  libraries, what is installed beside hybridgen, /etc and the user's settings for pip; writes the
  folder of the models; starts our own Python only (pip).

What they do NOT cover:

- The courier may list names below the folders of packages and of the standard library. The puller
  may read packages of a company that are installed beside hybridgen; it reads no project.
- The kernel fixes ports, not hosts, and no port of UDP: a courier that was taken over could send
  what it was given (cleared text and a key) to anybody who listens there, or by DNS.
- A broker that was taken over cannot send, but it can change files of its user, which others may
  send later: a shell's start-up file, a synchronised folder.
- The puller may change the mode of files of its user, and signal processes.
- ``stat``, ``access`` and ``readlink`` tell whether any path exists, its size and times.
- Covert channels (timing, load, cache) and holes in the kernel.

What the ``runner`` profile covers:

- **Network**: no sockets of any family, no datagram pairs, no bind, connect, listen, accept or
  addressed send, no io_uring. Only unconnected pairs of stream sockets, for asyncio.
- **Files**: reads the project, the interpreter's prefixes, the system's runtime (/usr, /lib, a few
  files of /etc, /proc, /sys, /dev); writes the scratch folder and /dev/null. Nothing of the home
  folder, /tmp, /etc or other projects. No change of mode, owner, times, attributes or flags, not
  even of files it can read; no watching of folders.
- **Processes**: threads, but no new process; nothing can be executed but the interpreter and its
  loader; no signal, trace, priority, limit, shared memory, message queue or key of another
  process; no leaving of its session, so that ``killpg`` ends it; it dies with its parent.
- **Kernel**: no mounts, namespaces, modules, bpf, perf, keyrings, clocks, reboot; no 32-bit or x32
  calls; calls newer than the table answer ENOSYS. Root's capabilities are dropped.
- **Terminal**: ioctl is limited to what Python needs: nothing can be typed into it.
- **Resources**: memory, processor time, file size, open files; no core dumps.
- **Environment**: scrubbed, with temporary HOME and TMPDIR; descriptors other than those given are
  closed, and those given must not be sockets that lead outside.

Where an observation may enter a prompt that leaves this machine, the interpreter comes with a
:class:`~hybridgen.domain.Runtime`, and in place of its prefixes and the system's runtime only that
may be read: the standard library without installed packages, shared libraries, data about time and
languages, and the packages named for it. What lies below the standard library's folder can be
listed, also where it cannot be read.

A **nursery** is a runner that may fork: nothing of the project is imported in it, only what the
project's module imports from elsewhere, and each of its children adds the runner's filter before
it imports the module under test. So code of the project never has the right to fork; an installed
package that it uses has it while it is imported, inside all the other locks.

What the ``runner`` does NOT cover:

- The project itself can be read whole, with ``.env`` and ``.git`` in it; so can all of /usr.
- The number of threads has no limit; the sum of files in the scratch folder, the rate of output and
  the wall clock are bounded by whoever reads the child's pipes, from outside.
- The limit on memory leaves out shared mappings up to four times its value.
- Exec resets the flag that makes a process undumpable, so the same user's other programs can look
  into the runner. The runner cannot look into them.
- Where there is no Landlock, bubblewrap puts the runner into a file tree of its own (``box.py``),
  with the same filter. There it may become any program of /usr, which has the same locks and sees
  no more. The broker may make namespaces then; nothing is sent on such a machine.
- Before Linux 6.2 (Landlock ABI 1 and 2) nothing more is open, but ``os.rename`` between folders
  of the scratch folder may fail with EXDEV (before 5.19).

What there is besides Linux: on macOS the runner and the engine are started in Seatbelt
(``seatbelt.py`` says what that covers and what not), which is tried like the rest and called ``best
effort``; the broker has no locks there, and nothing is sent. It was never run on a Mac. On Windows
no command runs; inside WSL 2 it is Linux.

``sandlock`` 0.9 does Landlock and seccomp too, but as a compiled library for some platforms with a
supervisor and a server of its own: more to trust than these few hundred lines of ctypes.
"""

from hybridgen.lockdown.box import bubblewrap
from hybridgen.lockdown.command import LAUNCH_FAILED, child_filter, locked_command
from hybridgen.lockdown.level import LockLevel
from hybridgen.lockdown.own import (
    broker_profile,
    courier_profile,
    engine_command,
    engine_profile,
    lock_down,
    puller_profile,
)
from hybridgen.lockdown.packages import hide_other_packages
from hybridgen.lockdown.probe import probe
from hybridgen.lockdown.profile import (
    Limits,
    Profile,
    runner_environment,
    runner_profile,
)
from hybridgen.lockdown.runtime import bare_runtime

__all__ = [
    "LAUNCH_FAILED",
    "Limits",
    "LockLevel",
    "Profile",
    "bare_runtime",
    "broker_profile",
    "bubblewrap",
    "child_filter",
    "courier_profile",
    "engine_command",
    "engine_profile",
    "hide_other_packages",
    "lock_down",
    "locked_command",
    "probe",
    "puller_profile",
    "runner_environment",
    "runner_profile",
]
