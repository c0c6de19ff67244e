"""Functions and methods through which code reads files and what is in them. Data only."""

from __future__ import annotations


def _all(words: str, *prefixes: str) -> frozenset[str]:
    return frozenset(f"{prefix}{word}" for prefix in prefixes or ("",) for word in words.split())


TEXTS = {
    **dict.fromkeys(_all("json.loads simplejson.loads ujson.loads orjson.loads"), "json"),
    **dict.fromkeys(_all("tomllib.loads tomli.loads toml.loads tomlkit.parse"), "toml"),
    **dict.fromkeys(_all("fromstring XML", "xml.etree.ElementTree."), "xml"),
    **dict.fromkeys(_all("load safe_load full_load", "yaml."), "json"),  # which is YAML too
    "ast.parse": "py",
}
"""Functions that read a text, and its format."""

STREAMS = {
    **dict.fromkeys(_all("json.load simplejson.load"), "json"),
    **dict.fromkeys(_all("tomllib.load tomli.load toml.load"), "toml"),
    **dict.fromkeys(_all("reader DictReader", "csv."), "csv"),
    **dict.fromkeys(_all("parse iterparse", "xml.etree.ElementTree."), "xml"),
}
"""Functions that read an open file, or a path."""

BINARY = _all("tomllib.load tomli.load")
PARSERS = _all("ConfigParser RawConfigParser SafeConfigParser", "configparser.")
"""Classes of parsers for files with sections."""

PARSER_METHODS = _all(
    "has_section has_option getint getboolean getfloat read_string read_file readfp add_section "
    "optionxform remove_section"
)
OPENING = _all("open io.open codecs.open os.fdopen tokenize.open")
PATHS = _all("Path PurePath PosixPath PurePosixPath", "pathlib.")
SAME_PATH = _all(
    "abspath realpath normpath normcase expanduser expandvars", "os.path."
) | frozenset({"str", "os.fspath", "os.fsdecode", "os.fsencode"})
FILE_QUESTIONS = _all("os.path.isfile os.path.getsize os.path.getmtime os.stat zipfile.is_zipfile")
FOLDER_QUESTIONS = _all("os.path.isdir os.path.ismount os.listdir os.scandir os.walk os.chdir")
PATH_QUESTIONS = _all("os.path.exists os.path.lexists os.path.islink os.access os.remove")
WRITING = _all("os.mkdir os.makedirs")
SAME = _all("list tuple set sorted iter reversed frozenset dict OrderedDict next deque")
"""Functions whose result holds what they are given; ``next`` gives an item of it."""

FILE_METHODS = _all("is_file stat lstat")
FOLDER_METHODS = _all("is_dir iterdir glob rglob")
PATH_METHODS = _all("exists is_symlink unlink rename touch mkdir rmdir")
SAME_PATH_METHODS = _all("resolve absolute expanduser as_posix relative_to with_suffix")
TEXT_METHODS = _all(
    "strip lstrip rstrip lower upper casefold title replace expandtabs encode decode copy "
    "removeprefix removesuffix read readline readlines getvalue getroot namelist"
)
"""Methods whose result is much the same."""

KEY_METHODS = _all("get pop setdefault getlist")
FINDING = _all("find iterfind findall iter findtext")
"""Methods of XML elements that look for others."""

FINDING_ELEMENTS = _all("iterfind findall findtext iter")
"""Those that hardly anything else has."""
