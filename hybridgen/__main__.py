"""Where the ``hybridgen`` command begins, and ``python -m hybridgen``."""

from __future__ import annotations

import os
import sys


def start() -> None:
    """Run the command with modules from the folders of this Python alone.

    ``$PYTHONPATH``, and with ``-m`` the current folder, may be the project's: its ``json.py`` would
    run in the process that has the key. A ``sitecustomize`` or ``hybridgen`` in such a folder ran
    before this line and cannot be kept out: docs/security.md says so.
    """
    has_path = bool(os.environ.get("PYTHONPATH")) and not sys.flags.ignore_environment
    is_unsafe = has_path or (__name__ == "__main__" and not sys.flags.safe_path)
    # On Windows, where no command runs, the caller would not wait for what this becomes.
    if is_unsafe and sys.platform != "win32":
        again = [sys.executable, "-E", "-P", "-m", "hybridgen", *sys.argv[1:]]
        os.execv(sys.executable, again)  # noqa: S606  no shell is wanted
    from hybridgen.cli.main import main

    main()


if __name__ == "__main__":
    start()
