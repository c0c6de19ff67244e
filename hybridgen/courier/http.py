"""An HTTP client that can reach one address only, and reads no more than an answer needs."""

from __future__ import annotations

import ssl
import time
from contextlib import closing
from typing import Final

import httpx2

from hybridgen.courier.adapters import Target
from hybridgen.courier.failures import Failure
from hybridgen.courier.replies import check_head, check_status, context_of, parsed, read_body

_LONGEST_CONNECT: Final = 10.0


def timeout_of(seconds: float) -> httpx2.Timeout:
    """``seconds`` in all, fewer of them to connect."""
    return httpx2.Timeout(seconds, connect=min(seconds, _LONGEST_CONNECT))


def make_client(target: Target) -> httpx2.Client:
    """A client for ``target``: no redirects, no cookies, nothing from the environment."""
    inner = httpx2.HTTPTransport(
        verify=(
            httpx2.create_ssl_context(trust_env=False)
            if target.ca is None
            else context_of(target.ca)
        ),
        trust_env=False,
        proxy=target.proxy,
        retries=0,
        limits=httpx2.Limits(max_connections=target.parallel + 1),
    )
    return httpx2.Client(
        transport=_OneAddress(httpx2.URL(target.url), inner),
        trust_env=False,
        follow_redirects=False,
        headers={"accept-encoding": "identity", "user-agent": "hybridgen"},
    )


class _OneAddress(httpx2.BaseTransport):
    """Passes on requests to one scheme, host and port; gives back whole, small, good answers.

    Raises:
        Failure: everything else that can happen.
    """

    def __init__(self, address: httpx2.URL, inner: httpx2.BaseTransport) -> None:
        self._address = _place(address)
        self._inner = inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if _place(request.url) != self._address:
            raise Failure("address")
        request.headers["accept-encoding"] = "identity"
        # The timeouts count for each single read; this is the time for all of them.
        seconds = (request.extensions.get("timeout") or {}).get("read")
        end = time.monotonic() + (seconds if seconds is not None else 600.0)
        try:
            with closing(self._inner.handle_request(request)) as response:
                status, headers = response.status_code, response.headers
                check_head(status, headers)
                body = read_body(response.iter_raw(), end)
        except httpx2.TransportError as error:
            raise _failure(error) from None
        check_status(status, headers, body)
        parsed(body)
        kind = headers.get("content-type", "application/json")
        return httpx2.Response(status, headers={"content-type": kind}, content=body)

    def close(self) -> None:
        """Closes the connections."""
        self._inner.close()


def _place(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _failure(error: httpx2.TransportError) -> Failure:
    """What a broken connection means; TLS trouble hides in the cause of a failed connection."""
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError | httpx2.ConnectTimeout):
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLError):
                return Failure("tls")
            cause = cause.__cause__ or cause.__context__
        return Failure("refused")
    return Failure("timeout" if isinstance(error, httpx2.TimeoutException) else "cut")
