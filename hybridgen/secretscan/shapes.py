"""Secrets of a fixed shape: what their issuers made so that scanners can know them.

Sources: the token formats that GitHub, GitLab, Slack, Stripe, AWS, Google, Azure and the others
document, and the rules of the gitleaks project. A rule is tried only on text that has one of its
hints, which keeps the scan of ordinary text at a few microseconds a rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of secret that is known by its looks.

    Attributes:
        kind: what it is, for people.
        hints: lower-case texts of which it has one.
        pattern: where it starts.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(kind: str, hints: str, pattern: str) -> Shape:
    return Shape(kind, tuple(hints.split()), re.compile(pattern))


# Nothing of a longer word before it.
_START = "(?<![A-Za-z0-9])"
_APART = "(?<![A-Za-z0-9_-])"
# The body of a key may be in literals or in a comment: line ends are escapes, lines have quotes or
# signs around. Nothing here gives back what it took, or a hostile text would take for ever.
_GAP = r"(?:\\[rn]|[\s\"'+,()\\#*])*+"
_HEADERS = rf"(?:[A-Za-z-]++: [^\n\\]*+(?:\\[rn]|\s){_GAP})*+"
_BODY = rf"{_GAP}{_HEADERS}(?=[A-Za-z]{{0,60}}[0-9+/=])[A-Za-z0-9+/=]{{16}}"
# Forty characters with a digit and a capital, and no hash of a commit.
_FORTY = (
    r"(?<![A-Za-z0-9/+=_.-])(?![0-9a-f]{40})(?=[^\n]{0,39}[0-9])(?=[^\n]{0,39}[A-Z])"
    r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])"
)
_GITLAB = ("pat", "dt", "rt", "cbt", "ptt", "ft", "soat", "imt", "agent")

SHAPES: Final = (
    _shape(
        "private key",
        "private",
        rf"-----? ?BEGIN (?:[A-Z0-9]+ +)*PRIVATE KEY[A-Z ]*-----?{_BODY}",
    ),
    # Its first bytes, without the head: PKCS #1 and #8.
    _shape("private key", "ibaakc", rf"{_START}MII[A-Za-z0-9+/]{{3}}IBAAKC"),
    _shape("private key", "ibadanbgkqhkig9w0", rf"{_START}MII[A-Za-z0-9+/]{{3}}IBADANBgkqhkiG9w0"),
    _shape("private key", "putty-user-key", r"PuTTY-User-Key-File-\d: [a-z]"),
    _shape("private key", "age-secret", r"AGE-SECRET-KEY-1[0-9A-Z]{50}"),
    _shape("AWS key", "akia asia abia acca", rf"{_START}(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{{16}}\b"),
    _shape(
        "AWS secret key",
        "aws secret_access secretaccess",
        rf"(?i:aws|secret_?access)[^\n]{{0,60}}?{_FORTY}",
    ),
    _shape("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_START}gh[pousr]_[A-Za-z0-9]{{30,}}"),
    _shape("GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,}"),
    _shape(
        "GitLab token",
        " ".join(f"gl{kind}-" for kind in _GITLAB),
        rf"{_START}gl(?:{'|'.join(_GITLAB)})-[A-Za-z0-9_-]{{20,}}",
    ),
    _shape("Google key", "aiza", rf"{_START}AIza[0-9A-Za-z_-]{{35}}"),
    _shape("Google client secret", "gocspx-", r"GOCSPX-[0-9A-Za-z_-]{28}"),
    _shape("Google access token", "ya29.", rf"{_START}ya29\.[0-9A-Za-z_-]{{20,}}"),
    _shape("Slack token", "xox xapp-", rf"{_START}(?:xox[abceoprs]|xapp)-[0-9A-Za-z-]{{10,}}"),
    _shape(
        "webhook",
        "hooks.slack api/webhooks webhookb2",
        r"hooks\.slack\.com/\w+/T\w{6,}/\w{6,}/(?:\d+/)?\w{16,}|/api/webhooks/\d{16,}/[\w-]{40,}"
        r"|/webhookb2/[0-9a-f-]{36}@",
    ),
    _shape("Stripe key", "k_live_ k_test_", rf"{_START}[rs]k_(?:live|test)_[0-9A-Za-z]{{16,}}"),
    _shape("Stripe webhook secret", "whsec_", rf"{_START}whsec_[0-9A-Za-z+/]{{24,}}"),
    _shape("Hugging Face token", "hf_", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{30,}"),
    _shape("Anthropic key", "sk-ant-", rf"{_START}sk-ant-[A-Za-z0-9_-]{{20,}}"),
    # A digit, because style sheets have classes such as "sk-some-long-name".
    _shape("API key", "sk-", rf"{_APART}sk-(?=[A-Za-z_-]{{0,40}}[0-9])[A-Za-z0-9_-]{{20,}}"),
    _shape(
        "JSON web token",
        "eyj",
        rf"{_START}eyJ[A-Za-z0-9_-]{{8,}}\.eyJ[A-Za-z0-9_-]{{8,}}\.[A-Za-z0-9_-]{{8,}}",
    ),
    _shape("npm token", "npm_", r"(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}"),
    _shape("npm token", "_authtoken", r"_authToken\s*=\s*[A-Za-z0-9_-]{20,}"),
    _shape("PyPI token", "pypi-", r"pypi-[A-Za-z0-9_-]{70,}"),
    _shape(
        "Azure key",
        "accountkey sharedaccesskey",
        r"(?i)(?:Account|SharedAccess)Key\s*=\s*[A-Za-z0-9+/]{40,}={1,2}",
    ),
    _shape(
        "Azure key",
        "azure core.windows.net",
        r"(?<![A-Za-z0-9+/=-])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])",
    ),
    _shape("Azure signature", "sig=", r"[?&;]sig=[A-Za-z0-9%+/]{40,}"),
    _shape(
        "Azure client secret",
        "8q~",
        r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])",
    ),
    _shape(
        "Telegram token",
        ":aa",
        rf"(?:{_START}|(?<=bot))[0-9]{{8,10}}:AA[A-Za-z0-9_-]{{33}}(?![\w-])",
    ),
    _shape("DigitalOcean token", "_v1_", rf"{_START}do[opr]_v1_[a-f0-9]{{64}}"),
    _shape("Databricks token", "dapi", rf"{_START}dapi[a-f0-9]{{32}}"),
    _shape("Docker token", "dckr_", r"dckr_[op]at_[A-Za-z0-9_-]{20,}"),
    _shape("Shopify token", "shp", rf"{_START}shp(?:at|ca|pa|ss)_[a-fA-F0-9]{{32}}"),
    _shape("Vault token", "hvs. hvb.", rf"{_START}hv[sb]\.[A-Za-z0-9_-]{{24,}}"),
    _shape("Linear key", "lin_api_", r"lin_api_[A-Za-z0-9]{40}"),
    _shape("Fernet key", "fernet", r"(?i:fernet)[^\n]{0,40}?[\"'][A-Za-z0-9_-]{43}=[\"']"),
    _shape("Google refresh token", "1//0", rf"{_START}1//0[A-Za-z0-9_-]{{40,}}"),
    _shape("Atlassian token", "atatt3 atbb", rf"{_START}(?:ATATT3[\w=-]{{50,}}|ATBB\w{{32}})"),
    _shape("Square token", "sq0", rf"{_START}sq0[a-z]{{3}}-[A-Za-z0-9_-]{{22,}}"),
    _shape("PayPal token", "access_token$", r"access_token\$production\$\w{16}\$[0-9a-f]{32}"),
    _shape("Alibaba key", "ltai", rf"{_START}LTAI[A-Za-z0-9]{{17,21}}(?![\w/+=])"),
    _shape("Tencent key", "akid", rf"{_START}AKID[A-Za-z0-9]{{32}}(?![\w/+=])"),
    _shape("Terraform token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}"),
    _shape("Doppler token", "dp.", rf"{_START}dp\.(?:pt|st|ct|scim|audit)\.[A-Za-z0-9]{{40,}}"),
    _shape("Okta token", "ssws 00", r"SSWS 00[A-Za-z0-9_-]{40}"),
    _shape("Postman key", "pmak-", rf"{_START}PMAK-[0-9a-f]{{24}}-[0-9a-f]{{34}}"),
    _shape("New Relic key", "nrak-", rf"{_START}NRAK-[A-Z0-9]{{27}}"),
    # Issuers that draw hexadecimal digits, which look like anybody's digests, or add parts.
    _shape(
        "API key",
        "sbp_ pul- sqp_ squ_ sqa_ sntryu_ rubygems_ clojars_ glsa_ pat sk.ey",
        rf"{_START}(?:(?:sbp|pul|sq[pua]|sntryu|rubygems|CLOJARS)[_-][0-9a-f]{{40,}}"
        r"|glsa_[A-Za-z0-9]{32}_|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"
        r"|sk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,})",
    ),
    _shape("Mailgun key", "key-", rf"{_APART}key-[0-9a-f]{{32}}(?![0-9a-f])"),
)


def shapes_in(text: str) -> Iterator[tuple[str, int]]:
    """The kind and the offset of every secret of a fixed shape."""
    lower = text.lower()
    for shape in SHAPES:
        if any(hint in lower for hint in shape.hints):
            yield from ((shape.kind, found.start()) for found in shape.pattern.finditer(text))
