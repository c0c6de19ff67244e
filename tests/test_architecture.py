"""The rules that hold the rooms apart: who may import what, who may print.

A room is a package or module directly below ``hybridgen``. Data moves one way, so a room
knows the foundations and itself; only the pipeline and the commands know several rooms.
"""

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

import hybridgen

PACKAGE = Path(hybridgen.__file__).parent

# Known to all rooms; they know each other only.
FOUNDATIONS = {
    "domain",
    "dunders",
    "errors",
    "outside",
    "private",
    "reading",
    "resources",
    "secretscan",
}

# Who may compose rooms, and what they may import besides the foundations ("*": everything).
COMPOSERS = {
    "__main__": {"cli"},
    "cli": {"*"},
    "doctor": {
        *("courier", "engine", "gate", "label", "lockdown", "modelstore"),
        *("observe", "pipeline", "route", "settings", "source"),
    },
    "pipeline": {"*"},
    "settings": set(),
}

# Nobody but the composers above may import these.
TOP = {"cli", "doctor", "pipeline", "settings", "__main__"}

# The only steps from one room into another, each with its reason.
EXCEPTIONS = {
    ("source", "label"): "a module's text is labelled as soon as it was read",
    ("explore", "observe"): "the search is led by what its calls covered",
    ("observe", "lockdown"): "the runner starts its worker locked",
    ("engine", "lockdown"): "the engine starts its child locked",
    ("backends", "engine"): "the local backend is the engine",
    ("backends", "gate"): "a remote backend lets the gate clear what it sends",
    ("backends", "courier"): "a remote backend sends by the courier",
    ("courier", "lockdown"): "the courier locks itself before it sends",
    ("proof", "lockdown"): "the proof attacks from inside the production locks",
    ("proof", "backends"): "the proof lets a server listen that speaks the real wire",
    ("courier", "gate"): "the courier takes what the gate has cleared, and nothing else",
    ("explore", "post"): "examples in docstrings become candidates as a model's answer does",
}

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

# Imported by one room (or module) only, at whatever depth.
RESERVED = {
    "click": ("hybridgen.cli",),
    "rich": ("hybridgen.cli", "hybridgen.report"),
    "llama_cpp": ("hybridgen.engine",),
    "pydantic_settings": ("hybridgen.settings",),
    "platformdirs": ("hybridgen.settings", "hybridgen.cli", "hybridgen.modelstore"),
    "huggingface_hub": ("hybridgen.modelstore.hub",),
    "google": ("hybridgen.courier",),
    "grpc": (),
    "keyring": ("hybridgen.cli",),
    "detect_secrets": ("hybridgen.secretscan",),
    "numpy": ("hybridgen.gate",),
    # HTTP clients, of the standard library too.
    "httpx": ("hybridgen.modelstore.hub",),
    "httpx2": ("hybridgen.modelstore.hub", "hybridgen.courier"),
    "requests": ("hybridgen.modelstore.hub",),
    "urllib3": ("hybridgen.modelstore.hub",),
    "aiohttp": ("hybridgen.modelstore.hub",),
    "http": ("hybridgen.modelstore.hub", "hybridgen.backends.fake_server"),  # that one is a server
    "urllib.request": ("hybridgen.modelstore.hub",),
    "ftplib": (),
    "smtplib": (),
    "telnetlib": (),
    "xmlrpc": (),
    "websockets": (),
}


def room_of(module: str) -> str:
    """``hybridgen.engine.child`` is in the room ``engine``; the package itself in none."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def is_allowed(importer: str, imported: str) -> bool:
    """Whether the module ``importer`` may import the module ``imported``, both ours."""
    room, other = room_of(importer), room_of(imported)
    if other in ("", room):  # the package itself holds the version only
        return True
    if room == "" or room in FOUNDATIONS:
        return room != "" and other in FOUNDATIONS
    if room in COMPOSERS:
        allowed = COMPOSERS[room] | FOUNDATIONS
        # The pipeline takes values, and no room above it.
        is_upward = other in ("cli", "__main__") or (room == "settings" and other in TOP)
        is_upward |= room == "pipeline" and other == "doctor"
        return other in allowed or ("*" in allowed and not is_upward)
    return other in FOUNDATIONS or (room, other) in EXCEPTIONS


def sources() -> dict[str, ast.Module]:
    """Every module of ours, by dotted name."""
    trees = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        trees[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return trees


SOURCES = sources()


def outside_imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names that a module imports, wherever in it, by statement or by import_module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def breaks_of_reservation(module: str, tree: ast.Module) -> Iterator[str]:
    for name in outside_imports(tree):
        for reserved, places in RESERVED.items():
            is_meant = f"{name}.".startswith(f"{reserved}.")
            if is_meant and not any(f"{module}.".startswith(f"{place}.") for place in places):
                yield f"{module} imports {name}"


def prints_or_exits(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("print", "sys.exit", "exit", "quit", "click.echo"):
                yield f"{called} in line {node.lineno}"
        if isinstance(node, ast.Raise) and node.exc and "SystemExit" in ast.unparse(node.exc):
            yield f"SystemExit in line {node.lineno}"


def test_every_folder_with_modules_is_a_package():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [
        str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()
    ] == []


def test_no_room_is_entered_backwards():
    graph = grimp.build_graph("hybridgen", cache_dir=None)
    imports = [
        (one, other)
        for one in graph.modules
        for other in graph.find_modules_directly_imported_by(one)
    ]
    assert ("hybridgen.cli.main", "hybridgen.errors") in imports
    assert sorted(pair for pair in imports if not is_allowed(*pair)) == []


def test_the_graph_sees_every_module():
    graph = grimp.build_graph("hybridgen", cache_dir=None)
    assert set(SOURCES) == graph.modules


@pytest.mark.parametrize(
    ("importer", "imported", "expected"),
    [
        ("hybridgen.source.walk", "hybridgen.domain", True),
        ("hybridgen.source.walk", "hybridgen.source.bounds", True),
        ("hybridgen.source.walk", "hybridgen.settings", False),
        ("hybridgen.source.walk", "hybridgen.pipeline", False),
        ("hybridgen.suite.render", "hybridgen.observe.runner", False),
        ("hybridgen.observe.runner", "hybridgen.lockdown", True),
        ("hybridgen.lockdown", "hybridgen.observe.runner", False),
        ("hybridgen.route", "hybridgen.cli.main", False),
        ("hybridgen.pipeline", "hybridgen.engine.engine", True),
        ("hybridgen.pipeline", "hybridgen.cli.progress", False),
        ("hybridgen.pipeline", "hybridgen.doctor.checkup", False),
        ("hybridgen.doctor.remote", "hybridgen.pipeline.remotes", True),
        ("hybridgen.doctor.remote", "hybridgen.cli.door", False),
        ("hybridgen.doctor.remote", "hybridgen.report.health", False),
        ("hybridgen.cli.generate", "hybridgen.pipeline", True),
        ("hybridgen.cli.doctor", "hybridgen.doctor", True),
        ("hybridgen.settings", "hybridgen.source.walk", False),
        ("hybridgen.settings", "hybridgen.resources", True),
        ("hybridgen.domain", "hybridgen.settings", False),
        ("hybridgen", "hybridgen.cli.main", False),
    ],
)
def test_the_rule_itself(importer, imported, expected):
    assert is_allowed(importer, imported) is expected


@pytest.mark.parametrize("module", SOURCES)
def test_reserved_packages_stay_in_their_room(module):
    assert list(breaks_of_reservation(module, SOURCES[module])) == []


@pytest.mark.parametrize(
    ("module", "code", "count"),
    [
        ("hybridgen.source.walk", "from urllib import request", 1),
        ("hybridgen.source.walk", "import urllib.request", 1),
        ("hybridgen.source.walk", "from urllib.parse import quote", 0),
        ("hybridgen.source.walk", "def f():\n    import httpx.client", 1),
        ("hybridgen.modelstore.hub", "import httpx, huggingface_hub", 0),
        ("hybridgen.modelstore.hubbub", "import huggingface_hub", 1),
        ("hybridgen.cli.main", "import google.generativeai", 1),
        ("hybridgen.cli.main", "importlib.import_module('google.genai')", 1),
        ("hybridgen.report.console", "import click", 1),
    ],
)
def test_a_reserved_import_is_seen_wherever_it_is(module, code, count):
    assert len(list(breaks_of_reservation(module, ast.parse(code)))) == count


@pytest.mark.parametrize("module", [name for name in SOURCES if room_of(name) != "cli"])
def test_only_the_commands_print_or_exit(module):
    assert list(prints_or_exits(SOURCES[module])) == []


def test_printing_and_leaving_are_seen():
    code = "def f():\n    print(1)\n    sys.exit(2)\n    raise SystemExit"
    assert len(list(prints_or_exits(ast.parse(code)))) == 3


def test_the_worker_starts_with_the_standard_library_only():
    # pytest is imported in the function that runs it, which only projects that have it reach.
    worker = SOURCES["hybridgen.observe.worker"]
    names = {name.partition(".")[0] for name in outside_imports(worker)}
    assert names - set(sys.stdlib_module_names) <= {"pytest"}
    top = ast.Module([node for node in worker.body if not isinstance(node, DEFINITIONS)], [])
    assert "pytest" not in set(outside_imports(top))


def test_the_exceptions_lead_in_no_circle():
    graph: dict[str, set[str]] = {}
    for room, other in EXCEPTIONS:
        graph.setdefault(room, set()).add(other)
    graphlib.TopologicalSorter(graph).prepare()
