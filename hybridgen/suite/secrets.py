"""A cheap screen for secrets in observed values, before they are frozen into a test.

It knows the fixed shapes of common credentials and long random-looking strings. It covers
neither short passwords nor personal data: no pattern can.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter

_PATTERNS = {
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "Google key": r"\bAIza[0-9A-Za-z_-]{35}",
    "Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
    "Stripe key": r"\b[rs]k_live_[0-9A-Za-z]{16,}",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}",
    "API key": r"\bsk-[A-Za-z0-9_-]{20,}",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    "password in a URL": r"://[^\s/:@'\"]+:[^\s/:@'\"]{6,}@",
}
_KNOWN = {name: re.compile(pattern) for name, pattern in _PATTERNS.items()}
_TOKEN = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_BITS = 4.3  # per character: above hexadecimal digests (at most 4.0) and nearly all words


def secret_in(text: str) -> str | None:
    """Names the kind of secret that ``text`` seems to hold, or None."""
    for name, pattern in _KNOWN.items():
        if pattern.search(text):
            return name
    if any(_looks_random(token) for token in _TOKEN.findall(text)):
        return "random-looking string"
    return None


def _looks_random(token: str) -> bool:
    """True for long tokens that mix cases and digits without any order in them."""
    classes = (str.isupper, str.islower, str.isdigit)
    if not all(any(test(char) for char in token) for test in classes):
        return False
    pairs = list(itertools.pairwise(token))
    ordered = sum(1 for a, b in pairs if 0 <= ord(b) - ord(a) <= 1)
    if ordered > len(pairs) / 3:  # an alphabet or a run of one character
        return False
    return _entropy(token) >= _BITS


def _entropy(token: str) -> float:
    """Shannon entropy in bits per character."""
    counts = Counter(token)
    return -sum(n / len(token) * math.log2(n / len(token)) for n in counts.values())
