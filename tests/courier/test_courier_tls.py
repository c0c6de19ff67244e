"""Certificates and proxies: only those of the settings count, for every library."""

from __future__ import annotations

import datetime
import importlib.util
import ipaddress
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from hybridgen.backends.fake_gemini import FakeGemini
from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.backends.fake_server import FakeServer
from hybridgen.courier import Answer, Courier, Setup
from hybridgen.domain import Destination, Label
from hybridgen.errors import RemoteError

SDKS = ("google-genai", "google-generativeai", "openai-compatible")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that vouches for itself, in one PEM file."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "company.pem")


@pytest.fixture(scope="module")
def other_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another one, of another company."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "other.pem")


def make_certificate(path: Path) -> Path:
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "company")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), False)
    builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    made = builder.sign(key, hashes.SHA256())
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def public_part(certificate: Path) -> bytes:
    return certificate.read_bytes().partition(b"-----END PRIVATE KEY-----\n")[2]


def fake(sdk: str, script: Any, tls: ssl.SSLContext | None = None) -> FakeServer:
    if importlib.util.find_spec("google.genai") is None and sdk.startswith("google"):
        pytest.skip("the extra is not installed")
    return (FakeGemini if sdk.startswith("google") else FakeOpenai)(script, tls=tls)


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def setup(sdk: str, url: str, **changes: Any) -> Setup:
    backend = "gemini" if sdk.startswith("google") else "onprem"
    there = Destination(backend, url, "m", sdk, "paid", Label.PUBLIC)
    return Setup(there, key="K", trusted_hosts=("127.0.0.1", "somewhere.test"), **changes)


def send(clear: Any, chosen: Setup) -> Answer:
    with Courier.start(pause=0.01) as courier:
        courier.configure(chosen)
        return courier.send(
            clear(chosen.destination),
            max_tokens=5,
            temperature=0,
            seed=1,
            deadline=time.monotonic() + 60,
        )


@pytest.mark.parametrize("sdk", SDKS)
def test_company_certificate_is_trusted_when_named_and_only_then(
    sdk: str, certificate: Path, other_certificate: Path, clear: Any
) -> None:
    with fake(sdk, ["1)"], serving(certificate)) as server:
        for ca in (None, public_part(other_certificate)):
            with pytest.raises(RemoteError, match="certificate that is not trusted") as caught:
                send(clear, setup(sdk, server.url, ca=ca))
            assert caught.value.is_final
        assert server.requests == []
        ca = public_part(certificate)
        assert send(clear, setup(sdk, server.url, ca=ca)).text.endswith("half(1)")


def test_file_without_certificates_is_told(clear: Any) -> None:
    with FakeOpenai(["1)"]) as server, pytest.raises(RemoteError, match="holds none"):
        send(clear, setup("openai-compatible", server.url, ca=b"not a \xff certificate"))


@pytest.mark.parametrize("sdk", SDKS)
def test_explicit_proxy_is_used(sdk: str, clear: Any) -> None:
    is_gemini = sdk.startswith("google")  # its key may not travel unencrypted: through a tunnel
    url = "https://somewhere.test" if is_gemini else "http://somewhere.test:81"
    with fake(sdk, [{"kind": "broken"}]) as proxy:
        with pytest.raises(RemoteError):
            send(clear, setup(sdk, url, proxy=proxy.url))
        expected = "somewhere.test:443" if is_gemini else f"{url}/v1/chat/completions"
        assert {one.path for one in proxy.requests} == {expected}
