"""Objects of the standard library that hold something, each by an expression. Data only."""

from __future__ import annotations

CONFIG = "config_from"
"""Reads a text with sections: no expression makes a filled parser."""

MESSAGES = (
    "email.message_from_string('Subject: Hello\\nFrom: a@example.com\\n\\nabc\\n')",
    "email.message_from_string('')",
    "email.message_from_string('Content-Type: text/html; charset=utf-8\\n\\n<p>a</p>\\n')",
    (
        "email.message_from_string('Content-Type: multipart/mixed; boundary=b\\n\\n"
        "--b\\n\\nabc\\n--b\\n\\ndef\\n--b--\\n')"
    ),
)
ELEMENTS = (
    "ET.fromstring('<a/>')",
    "ET.fromstring('<a b=\"1\">c</a>')",
    "ET.fromstring('<a><b>1</b><c>d</c></a>')",
)
URLS = (
    "urllib.parse.urlsplit('http://ann:pw@example.com:8080/a/b?c=1#d')",
    "urllib.parse.urlsplit('a/b')",
)
CONFIGS = (
    f"{CONFIG}('[a]\\nb = 1\\n')",
    f"{CONFIG}('')",
    f"{CONFIG}('[DEFAULT]\\nb = c\\n\\n[a]\\nd = yes\\n')",
)
MATCHES = (
    "re.match('(a)(b)?', 'abc')",
    "re.match('(?P<name>[a-z]+)(?P<value>[0-9]+)?', 'ab12')",
    "None",
)

STATEFUL: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("ConfigParser", "RawConfigParser"), CONFIGS),
    **dict.fromkeys(("Message", "EmailMessage"), MESSAGES),
    "Element": ELEMENTS,
    **dict.fromkeys(("ParseResult", "SplitResult"), URLS),
    "LogRecord": (
        "logging.makeLogRecord({'msg': 'abc', 'levelname': 'INFO', 'levelno': 20})",
        "logging.makeLogRecord({'msg': 'a %s', 'args': (1,), 'name': 'b', 'levelno': 40})",
    ),
    "struct_time": ("time.struct_time((2024, 2, 29, 12, 30, 0, 3, 60, 0))",),
    "Match": MATCHES,
    **dict.fromkeys(
        ("IPv4Address", "IPv6Address"),
        ("ipaddress.ip_address('192.0.2.1')", "ipaddress.ip_address('::1')"),
    ),
    **dict.fromkeys(
        ("IPv4Network", "IPv6Network"),
        ("ipaddress.ip_network('192.0.2.0/24')", "ipaddress.ip_network('2001:db8::/32')"),
    ),
}
"""Values by the name of a type."""
