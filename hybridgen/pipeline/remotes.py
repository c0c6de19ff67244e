"""What may be asked besides this machine, made from settings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from importlib.machinery import PathFinder
from typing import Final
from urllib.parse import urlsplit

from hybridgen.domain import Label
from hybridgen.domain.egress import Destination, port_of
from hybridgen.lockdown import probe
from hybridgen.route import NAMES, Remotes
from hybridgen.settings import Settings

GEMINI_URL: Final = "https://generativelanguage.googleapis.com"
VERTEX_URL: Final = "https://aiplatform.googleapis.com"

ONPREM_SDK: Final = "openai-compatible"

_GOOGLE: Final = ".googleapis.com"
_VERTEX_HOST: Final = "aiplatform.googleapis.com"
_LOOPBACK: Final = ("127.0.0.1", "::1")


def remotes_from(settings: Settings, has_key: bool) -> Remotes:
    """The remote backends that the settings allow, and why the others do not exist.

    Args:
        has_key: whether a key for Gemini was found, in the keyring or the environment.
    """
    if settings.offline:
        return Remotes(offline=True, offline_place=settings.source_of("offline"))
    why_not: dict[str, str] = {}
    gemini = onprem = None
    gemini_problem = _gemini_problem(settings, has_key)
    if gemini_problem is None:
        gemini = _gemini(settings)
    else:
        why_not["gemini"] = gemini_problem
    onprem_problem = _onprem_problem(settings)
    if onprem_problem is None:
        onprem = Destination(
            backend="onprem",
            url=settings.onprem_url or "",
            model=settings.onprem_model or "",
            sdk=ONPREM_SDK,
            terms="onprem",
            clearance=Label.INTERNAL,
        )
    else:
        why_not["onprem"] = onprem_problem
    return Remotes(gemini, onprem, why_not=why_not)


def possible(remotes: Remotes) -> Remotes:
    """The same without what this machine cannot ask.

    That is Gemini where its client library is not there, and everything where the kernel cannot
    lock the process that would send.
    """
    if (remotes.gemini or remotes.onprem) and not probe().is_full:
        why = f"nothing is sent where the kernel cannot lock what sends it: {probe().why}"
        why_not = dict(remotes.why_not)
        why_not.update((name, why) for name in NAMES if remotes.destination(name) is not None)
        return replace(remotes, gemini=None, onprem=None, why_not=why_not)
    if remotes.gemini is None or _is_there(remotes.gemini.sdk):
        return remotes
    why = f"{remotes.gemini.sdk} is not installed: pip install 'hybridgen[gemini]'"
    return replace(remotes, gemini=None, why_not={**remotes.why_not, "gemini": why})


def missing_backends(
    settings: Settings, remotes: Remotes, labels: Collection[Label]
) -> Iterator[str]:
    """For people: what they seem to want asked and did not set up in full, and what it lacks.

    Args:
        remotes: what there was to ask in a run.
        labels: of the files that it was about.
    """
    if settings.backend != "auto" or remotes.offline:
        return
    for backend, why in remotes.why_not.items():
        is_wanted = is_begun(settings, backend) or (backend == "gemini" and Label.PUBLIC in labels)
        if is_wanted and not is_shut(settings, backend):
            yield f"{NAMES[backend]} was not asked: {why}"


def is_begun(settings: Settings, backend: str) -> bool:
    """Whether anybody set something for ``backend``."""
    keys = (key for key in type(settings).model_fields if key.startswith(f"{backend}_"))
    return any(settings.found(key) for key in keys)


def is_shut(settings: Settings, backend: str) -> bool:
    """Whether somebody said that it is not to be asked, so that nothing is missing."""
    is_off = backend == "gemini" and settings.gemini_max_requests == 0
    return is_off or not settings.ceiling.allows_backend(backend)


def _is_there(sdk: str) -> bool:
    """Whether a package such as ``google-genai`` could be imported; nothing is imported or run."""
    parent, _, child = sdk.partition("-")
    found = PathFinder.find_spec(parent)
    folders = None if found is None else found.submodule_search_locations
    return folders is not None and PathFinder.find_spec(f"{parent}.{child}", folders) is not None


def _gemini(settings: Settings) -> Destination:
    return Destination(
        backend="gemini",
        url=_gemini_url(settings),
        model=settings.gemini_model,
        sdk=settings.gemini_sdk,
        terms=settings.gemini_terms or "",
        clearance=Label.PUBLIC,
    )


def _gemini_url(settings: Settings) -> str:
    usual = VERTEX_URL if settings.gemini_terms == "vertex" else GEMINI_URL
    return settings.gemini_url or usual


def _gemini_problem(settings: Settings, has_key: bool) -> str | None:
    ceiling, terms = settings.ceiling, settings.gemini_terms
    url = _gemini_url(settings)
    host = _host(url)
    if not ceiling.allows_backend("gemini"):
        return f"the organisation's file {ceiling.file} does not allow it"
    if settings.gemini_max_requests == 0:
        return f"gemini.max_requests is 0 ({settings.source_of('gemini_max_requests')})"
    if terms is None:
        return "gemini.terms is not set (hybridgen config show; what to say: docs/data-use.md)"
    if terms == "unpaid" and not settings.gemini_acknowledge_unpaid:
        return (
            "gemini.terms is 'unpaid', so people may read what is sent and Google learns from it: "
            "set gemini.acknowledge_unpaid = true if that is meant"
        )
    if terms == "vertex" and settings.gemini_sdk != "google-genai":
        return f"{settings.gemini_sdk} cannot speak to Vertex AI: leave gemini.sdk out"
    if host.endswith(_GOOGLE) and (terms == "vertex") != host.endswith(_VERTEX_HOST):
        return f"gemini.terms = {terms!r} are not the terms of {host}"
    if urlsplit(url).scheme == "http" and host not in _LOOPBACK:
        return f"{url} would carry key and text unencrypted: write https:// in gemini.url"
    if not ceiling.allows_host(host):
        return f"the organisation's file {ceiling.file} does not allow the host {host}"
    if not ceiling.allows_sdk(settings.gemini_sdk):
        return (
            f"the organisation's file {ceiling.file} does not allow {settings.gemini_sdk} (what "
            f"gemini.sdk may be: {', '.join(sorted(ceiling.sdks or ())) or 'nothing'})"
        )
    if not has_key:
        return "no key was found (set GEMINI_API_KEY, or: keyring set hybridgen gemini)"
    return None


def _onprem_problem(settings: Settings) -> str | None:
    ceiling, url = settings.ceiling, settings.onprem_url
    if not ceiling.allows_backend("onprem"):
        return f"the organisation's file {ceiling.file} does not allow it"
    if url is None:
        return "onprem.url is not set"
    host = _host(url)
    trusted = {name.lower() for name in settings.onprem_trusted_hosts}
    if trusted.isdisjoint({host, f"{host}:{port_of(url)}"}):
        return f"its host {host} is not in onprem.trusted_hosts"
    if not ceiling.allows_host(host):
        return f"the organisation's file {ceiling.file} does not allow the host {host}"
    if settings.onprem_model is None:
        return "onprem.model is not set"
    return None


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
