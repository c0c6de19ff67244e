"""The library's detectors: all of them, and no way for them to reach a network."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from hybridgen.secretscan.library import known_in


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    result = subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return result.stdout


def test_the_library_comes_without_its_http_client() -> None:
    printed = run("""
        import sys
        from hybridgen.secretscan import find_secrets
        print(len(find_secrets("SG." + "a" * 22 + "." + "b1" * 21 + "c")))
        print([name for name in ("requests", "urllib3", "http.client") if name in sys.modules])
    """)
    assert printed == "1\n[]\n"


def test_a_client_that_is_there_already_stays() -> None:
    printed = run("""
        import sys, types
        sys.modules["requests"] = mine = types.ModuleType("requests")
        mine.Response = object
        from hybridgen.secretscan import find_secrets
        find_secrets("x")
        print(sys.modules["requests"] is mine)
    """)
    assert printed == "True\n"


def test_it_works_where_no_socket_process_or_thread_can_be_made() -> None:
    printed = run("""
        import sys
        def deny(event, arguments):
            if event.startswith(("socket.", "subprocess.", "os.fork", "os.posix_spawn")):
                raise PermissionError(event)
        sys.addaudithook(deny)
        import threading
        from hybridgen.secretscan import find_secrets
        print(len(find_secrets("SG." + "a" * 22 + "." + "b1" * 21 + "c")))
        print(threading.active_count())
    """)
    assert printed == "1\n1\n"


def test_every_detector_with_patterns_is_asked_but_those_left_out() -> None:
    printed = run("""
        import detect_secrets.plugins, pkgutil
        from hybridgen.secretscan import library
        print({type(detector).__name__ for _, detector in library._detectors()} >= {
            "AWSKeyDetector", "DiscordBotTokenDetector",
            "MailchimpDetector", "SendGridDetector", "SquareOAuthDetector", "TwilioKeyDetector",
        })
        names = {type(detector).__name__ for _, detector in library._detectors()}
        print(names.isdisjoint(library._LEFT_OUT))
    """)
    assert printed == "True\nTrue\n"


def test_the_line_of_a_find_is_told_by_its_offset() -> None:
    token = "SG." + "a" * 22 + "." + "b1" * 21 + "c"
    assert [offset for _, offset in known_in(f"one\n\n{token}\n")] == [5]
