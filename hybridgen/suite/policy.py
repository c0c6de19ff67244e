"""The lists behind invariant 7: what a written test may name. Data only.

A test that hybridgen wrote is run later without a sandbox, so what is not listed is refused.
Functions that evaluate text (``typing.get_type_hints``, ``functools.singledispatch``), hand
out modules (``pytest.importorskip``) or start programs (``uuid.uuid1``) are left out of
otherwise harmless modules.
"""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


_ANY_PUBLIC = ("cmath", "math", "unicodedata")  # written in C: they hold no other modules

# Standard library modules: the names that may be taken from them; None: every public name.
MODULES: dict[str, frozenset[str] | None] = {
    **dict.fromkeys(_ANY_PUBLIC),
    "array": words("array"),
    "asyncio": words(
        "run sleep gather wait wait_for create_task timeout Queue LifoQueue PriorityQueue Event "
        "Lock Semaphore Condition Task Future TimeoutError CancelledError InvalidStateError "
        "QueueEmpty QueueFull IncompleteReadError"
    ),
    "base64": words(
        "b64encode b64decode urlsafe_b64encode urlsafe_b64decode standard_b64encode "
        "standard_b64decode b32encode b32decode b16encode b16decode b85encode b85decode"
    ),
    "binascii": words("hexlify unhexlify crc32 a2b_base64 b2a_base64 Error Incomplete"),
    "bisect": words("bisect bisect_left bisect_right insort insort_left insort_right"),
    "calendar": words("monthrange isleap timegm MONDAY SUNDAY Calendar TextCalendar"),
    "collections": words("namedtuple deque ChainMap Counter OrderedDict defaultdict UserDict"),
    # Its parsers read files by name, see FILE_READERS.
    "configparser": words("ConfigParser"),
    "contextlib": words("suppress nullcontext ExitStack closing"),
    "copy": words("copy deepcopy replace"),
    "dataclasses": words("asdict astuple replace fields FrozenInstanceError"),
    "datetime": words("date datetime time timedelta timezone tzinfo UTC MINYEAR MAXYEAR"),
    "decimal": words(
        "Decimal Context getcontext localcontext InvalidOperation DivisionByZero Overflow "
        "Underflow Inexact Rounded ConversionSyntax DecimalException ROUND_UP ROUND_DOWN "
        "ROUND_CEILING ROUND_FLOOR ROUND_HALF_UP ROUND_HALF_DOWN ROUND_HALF_EVEN ROUND_05UP"
    ),
    "email": words("message_from_string"),
    "enum": words("Enum IntEnum StrEnum Flag IntFlag auto unique"),
    "fractions": words("Fraction"),
    "functools": words("partial reduce cmp_to_key"),
    "hashlib": words("md5 sha1 sha224 sha256 sha384 sha512 blake2b blake2s new"),
    "heapq": words("heapify heappush heappop heappushpop heapreplace nlargest nsmallest merge"),
    "html": words("escape unescape"),
    "io": words("StringIO BytesIO"),
    "ipaddress": words(
        "ip_address ip_network ip_interface IPv4Address IPv4Network IPv4Interface IPv6Address "
        "IPv6Network IPv6Interface AddressValueError NetmaskValueError collapse_addresses"
    ),
    "itertools": words(
        "accumulate chain combinations count cycle islice product permutations repeat starmap "
        "takewhile zip_longest"
    ),
    "json": words("dumps loads JSONDecodeError JSONEncoder JSONDecoder"),
    "logging": words("makeLogRecord"),
    "pathlib": words("Path PurePath PurePosixPath PureWindowsPath"),
    "pytest": words("approx mark raises warns"),
    "random": words("Random seed"),
    "re": words(
        "compile match fullmatch search split findall finditer sub subn escape error PatternError "
        "Pattern Match A ASCII I IGNORECASE M MULTILINE S DOTALL X VERBOSE U UNICODE"
    ),
    "statistics": words("mean fmean median mode stdev pstdev variance StatisticsError"),
    "string": words("ascii_letters ascii_lowercase ascii_uppercase digits hexdigits punctuation"),
    "struct": words("pack unpack calcsize error"),
    "textwrap": words("dedent indent wrap fill shorten"),
    "time": words("struct_time"),
    "types": words("SimpleNamespace MappingProxyType"),
    "typing": words("Any"),
    "urllib.parse": words(
        "urlparse urlsplit urlunparse urlunsplit urljoin quote quote_plus unquote unquote_plus "
        "urlencode parse_qs parse_qsl ParseResult SplitResult"
    ),
    "uuid": words("UUID NAMESPACE_DNS NAMESPACE_URL uuid3 uuid5"),
    "xml.etree.ElementTree": words("fromstring"),
    "zoneinfo": words("ZoneInfo ZoneInfoNotFoundError"),
}
# Methods of what a module makes that read files by name: a test file that imports the module calls
# no method of that name with an argument, whatever it belongs to.
FILE_READERS = {"configparser": words("read")}

# Of these modules, only named classes of plain values.
CLASSES = words("subprocess.CompletedProcess unittest.mock.MagicMock")
# Imported for one exact use each, see patching.py and unfolding.py: no name of theirs is free.
VOUCHED = words("runpy sys unittest")
# Exception classes may come from these too, by name only.
EXCEPTION_MODULES = words(
    "ast configparser copy csv concurrent.futures email.errors getopt http.client locale lzma "
    "pickle queue shutil smtplib socket sqlite3 ssl struct subprocess tarfile tomllib urllib.error "
    "wave xml.parsers.expat xml.etree.ElementTree zipfile zlib zoneinfo"
)
EXCEPTION_NAME = (
    r"[A-Z]\w*(?:Error|Exception|Warning|Exit|Expired|Empty|Full|BadZipFile)|BadZipFile"
)

BUILTINS = words(
    "None True False Ellipsis NotImplemented abs all any ascii bin bool bytearray bytes callable "
    "chr complex dict divmod enumerate filter float format frozenset getattr hasattr hash hex id "
    "int isinstance issubclass iter len list map max memoryview min next object oct ord pow print "
    "range repr reversed round set setattr slice sorted str sum tuple type zip"
)
# Only called directly, with the attribute's name in plain sight.
BY_NAME = words("getattr hasattr setattr")

# As an attribute of anything: a module that reaches files, programs, the network or the
# interpreter, or a way into frames, code, classes and the event loop.
ATTRIBUTES = words(
    "builtins ctypes ftplib imaplib importlib linecache marshal mmap multiprocessing nt os pickle "
    "posix pty runpy shelve shutil smtplib socketserver sqlite3 subprocess sys tempfile webbrowser "
    "winreg _os _sys _io _thread _socket _ctypes _getframe _evaluate mro func_globals func_code "
    "f_back f_builtins f_code f_globals f_locals f_trace gi_frame gi_code gi_yieldfrom cr_frame "
    "cr_code cr_await cr_origin ag_frame ag_code ag_await tb_frame tb_next co_code co_consts "
    "get_loop _loop get_event_loop get_running_loop subprocess_shell subprocess_exec "
    "create_subprocess_shell create_subprocess_exec create_connection create_server"
)
# Inside of any text: it would only matter to code that evaluates or formats it.
TEXTS = ("__import__", "__subclasses__", "__globals__", "__builtins__", "os.system")
# Refused as a name taken from the package under test as well.
NAMES = ATTRIBUTES | words(
    "codecs code codeop compile eval exec fcntl gc inspect io open os pdb pkgutil platform pathlib "
    "signal socket system popen Popen threading urllib __import__ globals locals vars "
    "PosixPath WindowsPath"
)
# Never a package under test, whatever a project calls its files.
PACKAGES = words("builtins ctypes importlib nt os pathlib posix shutil socket subprocess sys")
DUNDERS = words(
    "__abs__ __add__ __and__ __bool__ __call__ __contains__ __delitem__ __divmod__ __doc__ "
    "__enter__ __eq__ __exit__ __float__ __floordiv__ __format__ __ge__ __getitem__ __gt__ "
    "__hash__ __iadd__ __index__ __init__ __int__ __invert__ __isub__ __iter__ __le__ __len__ "
    "__lt__ __matmul__ __mod__ __mul__ __name__ __ne__ __neg__ __next__ __or__ __pos__ "
    "__post_init__ __pow__ __radd__ __repr__ __reversed__ __rmul__ __round__ __rsub__ "
    "__rtruediv__ __setitem__ __str__ __sub__ __truediv__ __version__ __xor__"
)
# What a class in a test may define, and how.
METHODS = DUNDERS | words("__aenter__ __aexit__ __aiter__ __anext__ __await__ __new__")
BINDINGS = words("classmethod staticmethod property")
# Methods of pathlib.Path that touch the disk: only on what was made from tmp_path.
PATH_METHODS = words(
    "chmod chown copy_into hardlink_to lchmod link_to mkdir move_into open read_bytes read_text "
    "rename rmdir symlink_to touch unlink write_bytes write_text"
)
# The same names with as many arguments belong to str, list and dict as well.
PATH_METHODS_OF_ONE = words("copy move replace")
# These take a second path, which has to come from tmp_path too.
PATH_PAIRS = words("copy copy_into move move_into rename replace")
# Inside tmp_path too: a link leads out of it.
PATH_LINKS = words("symlink_to hardlink_to link_to")
FIXTURES = words("tmp_path capsys caplog monkeypatch")
# Names that pytest or a common plug-in gives a meaning: no fixture and no column is called so.
RESERVED = FIXTURES | words(
    "cache capfd capfdbinary capsysbinary doctest_namespace event_loop mocker "
    "pytestconfig record_property record_testsuite_property record_xml_attribute recwarn request "
    "self subtests testdir pytester tmp_path_factory tmpdir tmpdir_factory"
)
# What may be asked of caplog.
LOGGED = words("messages clear")
# What monkeypatch may change beside names of the module under test.
PATCHED = words("sys.argv sys.stdin")
# Variables that say which programs and files are run, or where they connect.
UNSAFE_VARIABLES = re.compile(
    r"(?i:PATH|HOME|ENV|BASH_ENV|IFS|SHELL|EDITOR|VISUAL|PAGER|BROWSER|TMPDIR|TEMP|TMP|"
    r"(?:LD|DYLD|PYTHON|PYTEST|GIT|SSH|PERL|RUBY|NODE|JAVA|COVERAGE|XDG)_?\w*|\w*_PROXY|CLASSPATH)"
)

NODES = words(
    "Module Expr Import ImportFrom alias FunctionDef AsyncFunctionDef ClassDef Lambda arguments "
    "arg Return Delete Assign AugAssign AnnAssign For AsyncFor While If With AsyncWith withitem "
    "Raise Try "
    "ExceptHandler Assert Pass Break Continue BoolOp NamedExpr BinOp UnaryOp IfExp Dict Set "
    "ListComp SetComp DictComp GeneratorExp comprehension Await Yield YieldFrom Compare Call "
    "keyword FormattedValue JoinedStr Constant Attribute Subscript Starred Name List Tuple Slice "
    "Load Store Del And Or Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr BitXor BitAnd "
    "FloorDiv Invert Not UAdd USub Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn"
)
