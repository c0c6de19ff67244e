"""Asks Gemini whether it has a model, without a word of anybody's text; the same for both SDKs.

The SDKs would do it each in its own way, one through a further service with a transport of its
own. It is one question: https://ai.google.dev/api/models#method:-models.get
"""

from __future__ import annotations

from hybridgen.courier.adapters import Target
from hybridgen.courier.failures import Failure
from hybridgen.courier.http import make_client, timeout_of


def model_of_gemini(target: Target, seconds: float) -> list[str]:
    """The name of the target's model, if this key may ask for it.

    Raises:
        Failure: Gemini does not say so; or it is Vertex AI, which has no such question for a key.
    """
    if target.terms == "vertex":
        raise Failure("internal")
    with make_client(target) as client:
        client.get(
            f"{target.url.rstrip('/')}/v1beta/models/{target.model}",
            headers={"x-goog-api-key": target.key},
            timeout=timeout_of(seconds),
        )
    return [target.model]
