"""The ``hybridgen`` command: finds the sub-command, and turns errors into exit codes.

Exit codes::

    0    every module got tests, or was covered already
    1    a module got none, or the model store or engine could not deliver
    2    a flag, path or setting that cannot be right
    3    internal error
    4    refused by policy, or no system that hybridgen runs on (Windows)
    130  interrupted
    141  the reader of our output went away (``hybridgen ... | head``)

Nothing heavier than click is imported before a sub-command is known.
"""

from __future__ import annotations

import importlib
import os
import select
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

import click

from hybridgen import __version__
from hybridgen.errors import HybridgenError, SandboxUnavailable

INTERNAL_ERROR: Final = 3
INTERRUPTED: Final = 130
READER_GONE: Final = 141

# name -> (module:attribute, line for --help); a module is imported when its command is used.
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "generate": ("hybridgen.cli.generate:generate", "Write unit tests for Python code."),
    "mark": ("hybridgen.cli.mark:mark", "Mark files as public, internal or confidential."),
    "unmark": ("hybridgen.cli.mark:unmark", "Take marks away."),
    "trust": ("hybridgen.cli.trust:trust", "Let the marks of a project count."),
    "explain": ("hybridgen.cli.explain:explain", "Say who may read which file, and why."),
    "audit": ("hybridgen.cli.audit:audit", "Show what was sent where, and what was refused."),
    "models": ("hybridgen.cli.models:models", "Fetch, check and remove code models."),
    "config": ("hybridgen.cli.config:config", "Show settings and where they come from."),
    "doctor": ("hybridgen.cli.doctor:doctor", "Check this installation, and say what mends it."),
    "purge": ("hybridgen.cli.purge:purge", "Remove what hybridgen keeps about your code."),
}

LOCKED_LATER: Final = ("generate", "models", "doctor")
"""Commands with something to do before they may read code and may no longer reach a network."""


class LazyGroup(click.Group):
    """A group whose sub-commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the dict, which is the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of ``cmd_name`` and return its command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), f"{module}:{attribute} is no command"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the sub-command, on a system that it can run on.

        Raises:
            SandboxUnavailable: this is Windows, where modules of commands cannot even be imported.
        """
        if sys.platform == "win32":
            raise SandboxUnavailable(
                "hybridgen runs on Linux and macOS, and on Windows inside WSL 2",
                "install WSL 2 (wsl --install) and hybridgen in it; more in docs/security.md",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the dict, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="hybridgen")
@click.pass_context
def hybridgen(context: click.Context, /) -> None:
    """AI-written unit tests for code that may not leave the building.

    Confidential code is only ever read by a model that runs on this machine.
    """
    if context.invoked_subcommand not in LOCKED_LATER:
        from hybridgen.cli.locks import lock_broker

        lock_broker()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit the process with the code documented above."""
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # closed by whoever started us: `>&-`
                stream.flush()
    except BrokenPipeError:
        code = READER_GONE
    if code == READER_GONE:
        # Python flushes once more on its way out; let that go nowhere instead of complaining.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.dup2(nowhere, sys.stderr.fileno())
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    """Run the command line; every way in which it can end becomes an exit code."""
    if "_HYBRIDGEN_COMPLETE" in os.environ:
        hybridgen.main(arguments, prog_name="hybridgen")
    try:
        # Not hybridgen.main(): it answers interrupts and broken pipes with other exit codes.
        with hybridgen.make_context("hybridgen", arguments) as context:
            result = hybridgen.invoke(context)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except HybridgenError as error:
        _show_error(error.message, error.hint)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("\ninterrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        # A pipe to a child of ours may break too: that is no reason to leave in silence.
        if isinstance(error, BrokenPipeError) and _is_reader_gone():
            return READER_GONE
        return _report_crash(error)


def _show_error(message: str, hint: str | None) -> None:
    from hybridgen.report.visible import visible

    click.echo(f"error: {visible(message)}", err=True)
    if hint:
        indented = "\n".join(f"  {line}" for line in visible(hint).splitlines())
        click.echo(indented, err=True)


def _is_reader_gone() -> bool:
    """Whether the other end of stdout or stderr was closed."""
    if sys.platform == "win32":
        return False
    poll = select.poll()
    for stream in (sys.stdout, sys.stderr):
        poll.register(stream.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _report_crash(error: Exception) -> int:
    """Say that it is our fault, and leave a traceback without a word of the project."""
    if os.environ.get("HYBRIDGEN_TRACEBACK") == "1":
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    else:
        from hybridgen.cli.places import write_crash_log
        from hybridgen.report.crash import crash_text, place_of

        try:
            path = write_crash_log(crash_text(error, __version__))
            hint = (
                f"its place is in {path}; HYBRIDGEN_TRACEBACK=1 prints all, project text included"
            )
        except OSError as failure:
            hint = f"no crash log ({failure.strerror}); HYBRIDGEN_TRACEBACK=1 prints all"
        _show_error(f"internal error: {type(error).__name__} in {place_of(error)}", hint)
    return INTERNAL_ERROR
