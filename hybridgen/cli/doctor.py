"""``hybridgen doctor``: looks whether this installation is as it should be.

What needs the world outside comes first: settings, keyring and, with ``--online``, the courier.
Then this process takes the locks of one that reads code, and then it looks.
"""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from hybridgen import __version__
from hybridgen.errors import UsageError
from hybridgen.report.visible import visible

if TYPE_CHECKING:
    from hybridgen.doctor import Places, WayOut
    from hybridgen.proof import Row
    from hybridgen.settings import Settings

_T = TypeVar("_T")
_Keys = Mapping[str, tuple[str, str | None]]


@click.command()
@click.option("--online", "is_online", is_flag=True, help="Try whether servers can be reached.")
@click.option(
    "--prove",
    "is_proving",
    is_flag=True,
    help="Attack hybridgen's own processes, with their locks and without, and say what held.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--config", metavar="FILE|NAME", help="Settings file, or a ready-made one by name.")
@click.pass_context
def doctor(
    context: click.Context,
    /,
    is_online: bool,
    is_proving: bool,
    as_json: bool,
    config: str | None,
) -> None:
    """Check this installation, and say what mends what is wrong.

    Looks at the model (the whole file is read for its sha256), memory, disks, processor, kernel
    locks, the Python of the project in the current folder, settings, keys and terms, and at who
    can get at what hybridgen keeps. No file of a project is read and its settings do not count;
    its Python is started once in the locks that its code runs in.

    Nothing is sent. With --online, the servers that you set up are asked for the models that they
    serve; that shows them your key, and no text.

    With --prove, instead of all that, a throw-away project is made, each process of hybridgen is
    attacked from inside after it took its locks, and the same is tried without them. It takes about
    a minute, and reaches nothing but this machine.

    Exit codes: 0 nothing is wrong (a warning is not) or all is proven, 1 something is wrong or not
    proven, 2 usage, 3 internal error.
    """
    if is_proving:
        if is_online or config is not None:
            raise UsageError("--prove goes with --json alone", "leave the other options out")
        context.exit(_prove(as_json=as_json))
    from hybridgen.cli.locks import lock_broker
    from hybridgen.doctor import Asked, diagnose
    from hybridgen.domain.health import is_wrong
    from hybridgen.report import health
    from hybridgen.settings import load_settings

    settings = _now(lambda: load_settings(None, {}, config))
    keys = _now(lambda: _keys(settings()))
    way_out = _now(lambda: _way_out(settings(), keys(), is_online=is_online))
    lock_broker()
    asked = Asked(
        load=settings,
        folder=Path.cwd(),
        places=_places(),
        key_of=lambda backend: keys().get(backend, ("", None))[1],
        way_out=way_out,
        is_online=is_online,
        say=_say,
    )
    findings = []
    for finding in diagnose(asked):
        findings.append(finding)
        if not as_json:
            click.echo(health.as_lines(finding))
    if as_json:
        click.echo(health.as_json(findings, version=__version__, is_online=is_online))
    else:
        click.echo(f"\n{health.summary(findings)}")
    context.exit(int(is_wrong(findings)))


def _prove(*, as_json: bool) -> int:
    """Shows the proof row by row as it is made; its exit code."""
    from hybridgen.errors import SandboxUnavailable
    from hybridgen.proof import PROCESSES, RUN, prove
    from hybridgen.report import proof

    if sys.platform != "linux":
        raise SandboxUnavailable(
            "Only the locks of Linux can be proven.", "What holds here: hybridgen doctor"
        )
    about = {**PROCESSES, RUN: "a whole run, with a server that keeps what it receives"}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="hybridgen-proof-") as folder:
        for row in prove(Path(folder).resolve()):
            if not as_json:
                if not rows or rows[-1].process != row.process:
                    click.echo("\n".join(proof.head_lines(row.process, about[row.process])))
                click.echo(visible(proof.row_line(row)))
            rows.append(row)
    if as_json:
        system = f"{platform.system()} {platform.release()} {platform.machine()}"
        click.echo(proof.as_json(rows, version=__version__, system=system, processes=about))
    else:
        click.echo(f"\n{proof.summary(rows)}")
    return int(not proof.is_proven(rows))


def _now(act: Callable[[], _T]) -> Callable[[], _T]:
    """Does ``act`` at once; what it gave or raised comes when it is asked for."""
    try:
        value = act()
    except Exception as error:  # whatever it is, the doctor says it
        problem = error

        def fail() -> _T:
            raise problem

        return fail
    return lambda: value


def _say(text: str) -> None:
    """What takes a while, to those who watch."""
    if sys.stderr.isatty():
        click.echo(text, err=True)


def _places() -> Places:
    from hybridgen.cli.places import (
        fingerprint_folder,
        kept_places,
        ledger_folder,
        reply_folder,
        state_folder,
    )
    from hybridgen.doctor import Places
    from hybridgen.settings import user_file

    state = state_folder()
    kept = {place.what: place.path for place in kept_places()}
    kept |= {"ledger": ledger_folder(), "what you trust": state / "trust"}
    kept["fingerprints of files"] = fingerprint_folder()
    inner = {
        what
        for what, path in kept.items()
        if any(path != other and path.is_relative_to(other) for other in kept.values())
    }
    for what in inner:  # said with what it is in
        del kept[what]
    return Places(state=state, cache=reply_folder().parent, user_file=user_file(), kept=kept)


def _keys(settings: Settings) -> _Keys:
    """By backend that somebody began to set up, its key and the place of that, for people."""
    from hybridgen.cli.door import key_of
    from hybridgen.doctor.remote import begun

    return {backend: key_of(backend) for backend in begun(settings)}


def _way_out(settings: Settings, keys: _Keys, *, is_online: bool) -> WayOut:
    """The courier, if it is to be asked, told of every destination that is set up.

    Raises:
        PolicyRefusal: an address that the settings do not vouch for.
        SettingsError: a file of certificates that cannot be read.
        RemoteError: the courier does not start.
    """
    from hybridgen.cli.door import setup_of
    from hybridgen.courier import Courier
    from hybridgen.doctor import WayOut
    from hybridgen.doctor.remote import destinations

    has_key = bool(keys.get("gemini", ("", None))[0])
    found = destinations(settings, has_key=has_key) if is_online else ()
    if not found:
        return WayOut(None, ())
    setups = [setup_of(one, keys[one.backend][0], settings) for one in found]
    courier = Courier.start()
    courier.configure(*setups)
    return WayOut(courier, found)
