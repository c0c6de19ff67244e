"""Addresses that the settings do not vouch for are refused before anything connects."""

from __future__ import annotations

import pytest

from hybridgen.courier.setup import Setup, check_setup
from hybridgen.domain import Destination, Label
from hybridgen.errors import PolicyRefusal


def setup(backend: str, url: str, *trusted: str) -> Setup:
    there = Destination(backend, url, "m", "sdk", "terms", Label.PUBLIC)
    return Setup(there, trusted_hosts=trusted)


@pytest.mark.parametrize(
    ("backend", "url", "trusted"),
    [
        ("onprem", "https://models.test:8000/v1", ("models.test",)),
        ("onprem", "http://MODELS.test:8000", (" Models.Test:8000 ",)),
        ("onprem", "http://[::1]:8000", ("::1",)),
        ("gemini", "https://generativelanguage.googleapis.com", ()),
        ("gemini", "https://gateway.test", ("gateway.test",)),
        ("gemini", "http://127.0.0.1:1", ()),
    ],
)
def test_trusted_host_may_be_addressed(backend: str, url: str, trusted: tuple[str, ...]) -> None:
    check_setup(setup(backend, url, *trusted))


@pytest.mark.parametrize(
    ("backend", "url", "trusted", "said"),
    [
        ("onprem", "https://models.test", (), "not a trusted host"),
        ("onprem", "https://models.test.evil.test", ("models.test",), "not a trusted host"),
        ("onprem", "https://models.test:444", ("models.test:443",), "not a trusted host"),
        ("onprem", "http://127.0.0.1:8000", (), "not a trusted host"),
        ("onprem", "http://10.0.0.1", ("models.test",), "not a trusted host"),
        ("gemini", "https://elsewhere.test", ("gateway.test",), "not a trusted host"),
        ("gemini", "http://gateway.test", ("gateway.test",), "unencrypted"),
        ("onprem", "https://models.test@evil.test", ("models.test",), "not a plain"),
        ("onprem", "https://models.test?x=1", ("models.test",), "not a plain"),
        ("onprem", "ftp://models.test", ("models.test",), "not a plain"),
        ("onprem", "models.test", ("models.test",), "not a plain"),
        ("onprem", "https://models.test:99999", ("models.test",), "not a plain"),
        ("onprem", "", ("models.test",), "not a plain"),
        # Each of these is another host, or none, to one of the libraries that connect.
        ("onprem", "https://models\t.test", ("models.test",), "not a plain"),
        ("onprem", " https://models.test", ("models.test",), "not a plain"),
        ("onprem", "https://:@models.test", ("models.test",), "not a plain"),
        ("onprem", "https://evil.test\\.models.test", ("evil.test\\.models.test",), "not a plain"),
        ("onprem", "https://[::1].evil.test", ("::1",), "not a plain"),
        ("onprem", "https://models.test:", ("models.test",), "not a plain"),
        ("gemini", "https://gener\u0430tivelanguage.googleapis.com", (), "not a plain"),
    ],
)
def test_any_other_address_is_refused(
    backend: str, url: str, trusted: tuple[str, ...], said: str
) -> None:
    with pytest.raises(PolicyRefusal, match=said) as caught:
        check_setup(setup(backend, url, *trusted))
    assert caught.value.hint
