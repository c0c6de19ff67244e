"""The screen for secrets. Samples are put together here, so that no scanner finds one."""

from __future__ import annotations

import base64
import hashlib
import string

import pytest

from hybridgen.suite import secret_in

RANDOM = base64.b64encode(hashlib.sha256(b"7").digest()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "RSA PRIVATE KEY-----",
        "-----BEGIN " + "PRIVATE KEY-----",
        "AKIA" + "IOSFODNN7EXAMPLE",
        "gh" + "p_" + "a" * 36,
        "github_" + "pat_" + "a1" * 20,
        "glp" + "at-" + "a1" * 12,
        "AIza" + "SyA-1234567890abcdefghijklmnopqrstu",
        "xox" + "b-123456789012-abcdef",
        "sk_" + "live_" + "a1B2" * 6,
        "hf_" + "aB" * 18,
        "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0In0" + ".c2lnbmF0dXJl",
        "postgres://" + "ann:" + "hunter22" + "@db/shop",
        f"'{RANDOM}'",
    ],
)
def test_secrets_are_named(text: str) -> None:
    assert secret_in(f"assert load() == {text!r}") is not None


@pytest.mark.parametrize(
    "text",
    [
        "assert discount(100, 10) == 90",
        hashlib.sha256(b"7").hexdigest(),
        string.ascii_letters + string.digits,
        "a" * 80,
        "12345678-1234-5678-1234-567812345678",
        "the quick brown fox jumps over the lazy dog and does it again",
        "https://example.org/a/b?c=d&e=f",
        "test_a_function_with_a_really_long_name_that_says_what_happens",
        "AaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaB1",
    ],
)
def test_ordinary_values_are_not_secrets(text: str) -> None:
    assert secret_in(text) is None
