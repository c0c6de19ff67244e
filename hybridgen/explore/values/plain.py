"""Values of the types that everybody has, as source text. Data only."""

from __future__ import annotations

from hybridgen.explore.values.files import PATHS
from hybridgen.explore.values.standins import ASYNC
from hybridgen.explore.values.stateful import STATEFUL

GENERIC = ("None", "0", "1", "-1", "2", "'a'", "''", "[]", "{}", "1.5", "True", "[1, 2]", "'1'")
"""What a parameter without a type is tried with first."""

TEXTS = ("''", "'a'", "'abc'", "'Hello World'", "'1'", "' '", "'a b'", "'A'", "'-'", "'x,y'")
INTEGERS = ("0", "1", "-1", "2", "3", "7", "10", "100", "1000")
FLOATS = ("0.0", "1.0", "-1.0", "0.5", "2.5", "100.0")
STREAMS = ("io.StringIO('a,b\\n1,2\\n')", "io.StringIO('')", "io.StringIO('abc')")
BYTE_STREAMS = ("io.BytesIO(b'abc')", "io.BytesIO(b'')")

ZONES = (
    "datetime.timezone.utc",
    "datetime.timezone(datetime.timedelta(hours=2))",
    "datetime.timezone(datetime.timedelta(hours=-5))",
)
ZONED = tuple(f"datetime.datetime(2024, 1, 15, 8, 30, tzinfo={zone})" for zone in ZONES)

BY_TYPE: dict[str, tuple[str, ...]] = {
    "str": TEXTS,
    "LiteralString": TEXTS,
    "AnyStr": TEXTS,
    "int": INTEGERS,
    "SupportsInt": INTEGERS,
    "SupportsIndex": INTEGERS,
    "Integral": INTEGERS,
    "float": FLOATS,
    "Real": ("1", "0.5", "-2"),
    "Number": ("1", "0.5", "-2", "1j"),
    "complex": ("1j", "0j", "1 + 2j"),
    "bool": ("True", "False"),
    "bytes": ("b''", "b'a'", "b'abc'"),
    "bytearray": ("bytearray(b'')", "bytearray(b'ab')"),
    "memoryview": ("memoryview(b'abc')",),
    "Buffer": ("b'abc'", "bytearray(b'ab')"),
    "None": ("None",),
    "NoneType": ("None",),
    "slice": ("slice(1, 3)", "slice(None)", "slice(None, None, -1)", "slice(0, 5, 2)"),
    "range": ("range(5)", "range(0)", "range(1, 10, 2)"),
    "Decimal": ("Decimal('0')", "Decimal('1')", "Decimal('-1')", "Decimal('10.50')"),
    "Fraction": ("Fraction(1, 2)", "Fraction(0)"),
    "date": (
        "datetime.date(2024, 2, 29)",
        "datetime.date(2023, 12, 31)",
        "datetime.date(2024, 1, 6)",
    ),
    "datetime": (
        "datetime.datetime(2024, 2, 29, 12, 30)",
        "datetime.datetime(2023, 12, 31)",
        "datetime.datetime(2024, 7, 1, 12, 30, 15, 250000)",
        *ZONED,
    ),
    "time": ("datetime.time(12, 30)", "datetime.time(0, 0, 5)", "datetime.time(23, 59, 59, 500)"),
    "timedelta": (
        "datetime.timedelta(days=1)",
        "datetime.timedelta(seconds=90)",
        "datetime.timedelta(0)",
        "datetime.timedelta(hours=-5)",
        "datetime.timedelta(days=400, seconds=3, microseconds=20)",
    ),
    "UUID": ("uuid.UUID(int=1)",),
    "Path": PATHS,
    "PurePath": PATHS,
    "PathLike": PATHS,
    "StrPath": PATHS,
    "tzinfo": ZONES,
    "timezone": ZONES,
    "ZoneInfo": ("zoneinfo.ZoneInfo('UTC')",),
    "IO": STREAMS,
    "TextIO": STREAMS,
    "StringIO": STREAMS,
    "TextIOBase": STREAMS,
    "TextIOWrapper": STREAMS,
    "SupportsRead": STREAMS,
    "SupportsWrite": STREAMS,
    "BinaryIO": BYTE_STREAMS,
    "BytesIO": BYTE_STREAMS,
    "RawIOBase": BYTE_STREAMS,
    "BufferedIOBase": BYTE_STREAMS,
    "Pattern": ("re.compile('a+')", "re.compile(r'(\\d+)')", "re.compile('')"),
    "ContextManager": ("contextlib.nullcontext(1)",),
    "AbstractContextManager": ("contextlib.nullcontext(1)",),
    "SimpleNamespace": ("types.SimpleNamespace(name='a', value=1)",),
    "Random": ("random.Random(1)",),
    "Exception": ("ValueError('a')", "KeyError('a')", "Exception()"),
    "BaseException": ("ValueError('a')", "KeyboardInterrupt()"),
    "ValueError": ("ValueError('a')",),
    "Sized": ("[]", "'abc'", "{1, 2}"),
    "Container": ("[1, 2]", "'abc'", "{1, 2}"),
    "Namespace": ("types.SimpleNamespace(name='a', value=1)",),
    **ASYNC,
    **STATEFUL,
}
"""Values by the name of a type."""

SEQUENCES = {
    **dict.fromkeys(("list", "List", "Sequence", "MutableSequence", "Reversible"), ""),
    **dict.fromkeys(("Iterable", "Collection"), ""),
    **dict.fromkeys(("Iterator", "Generator"), "iter({})"),
    **dict.fromkeys(("deque", "Deque"), "collections.deque({})"),
}
"""Types of many items, and what is made of a list of them."""

MAPPINGS = {
    **dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping"), ""),
    "OrderedDict": "collections.OrderedDict({})",
    "defaultdict": "collections.defaultdict(list, {})",
    "DefaultDict": "collections.defaultdict(list, {})",
    "Counter": "collections.Counter({})",
    "ChainMap": "collections.ChainMap({})",
    "MappingProxyType": "types.MappingProxyType({})",
}
"""Types of pairs, and what is made of a dictionary."""

SETS = {"set", "Set", "frozenset", "FrozenSet", "AbstractSet", "MutableSet"}

IMPORTS = {
    "Decimal": "from decimal import Decimal",
    "Fraction": "from fractions import Fraction",
    "datetime": "import datetime",
    "uuid": "import uuid",
    "io": "import io",
    "re": "import re",
    "copy": "import copy",
    "types": "import types",
    "random": "import random",
    "zoneinfo": "import zoneinfo",
    "contextlib": "import contextlib",
    "collections": "import collections",
    "configparser": "import configparser",
    "email": "import email",
    "ET": "import xml.etree.ElementTree as ET",
    "urllib": "import urllib.parse",
    "logging": "import logging",
    "time": "import time",
    "ipaddress": "import ipaddress",
}
"""What a name in a value needs to be imported by."""
