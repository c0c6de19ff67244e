"""``hybridgen explain`` as a user runs it, on a small project with files of every kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import hybridgen
from hybridgen.cli.explain import explain as command
from hybridgen.errors import HybridgenError
from hybridgen.pipeline.labelling import make_labeller, trust_store
from hybridgen.settings import load_settings

ROOT = Path(hybridgen.__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Explain = Callable[..., Done]

MARKS = """[labels]
public = ["/shop/money.py", "/docs/", "/tests/"]
internal = ["/shop/orders.py"]
"""

FILES = {
    "hybridgen.toml": MARKS,
    "shop/__init__.py": "",
    "shop/money.py": "import decimal\n\ndef rounded(value):\n    return round(value, 2)\n",
    "shop/orders.py": "import shop.money\n\ndef total(items):\n    return sum(items)\n",
    "shop/pricing.py": "def margin(cost, price):\n    return price - cost\n",
    "docs/index.md": "hello\n",
    "tests/test_money.py": "from shop.money import rounded\n",
    "tests/test_pricing.py": "from shop.pricing import margin\n",
}

KEY = "AKIA" + "Q7RZ3V5XK2MPWN4T"
SIGNING = f"""def half(n):
    return n // 2


def sign(text):
    key = "{KEY}"
    return text + key
"""

SECRET = """def partner_price(partner, basket, season):
    base = sum(item.weight * partner.tariff[item.region] for item in basket)
    bonus = partner.turnover(season - 1) // 40_000 if partner.is_silent else 0
    for clause in sorted(partner.clauses, key=lambda one: one.signed_at):
        base = max(clause.floor, base - clause.kickback(bonus))
    return round(base * 0.8125, 2)
"""

WATCHED = """
import sys
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith("socket.") else None)
before = set(sys.modules)
from hybridgen.cli.main import main
try:
    main(sys.argv[1:])
finally:
    new = {name.partition(".")[0] for name in set(sys.modules) - before}
    new |= {name for name in sys.modules if name.startswith(("google.genai", "google.generat"))}
    print(sorted(new), file=sys.stderr)
    print(seen, file=sys.stderr)
"""

SETTINGS = """[gemini]
terms = "paid"

[onprem]
url = "http://models.example.com:8000/v1"
model = "qwen"
trusted_hosts = ["models.example.com"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who set up both remote backends."""
    for name in [name for name in os.environ if name.startswith(("XDG_", "HYBRIDGEN_"))]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("HOME", str(folder))
    (folder / ".config/hybridgen").mkdir(parents=True)
    (folder / ".config/hybridgen/config.toml").write_text(SETTINGS)
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The project; nothing in it is trusted yet."""
    folder = tmp_path / "shop"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "docs/linked.py").symlink_to("../shop/pricing.py")
    (folder / "docs/outside.txt").symlink_to("/etc/hostname")
    return folder


@pytest.fixture
def trust(home: Path, shop: Path) -> Callable[[], None]:
    """Says that the user trusts the project as it is now."""

    def do() -> None:
        state = home / ".local/state/hybridgen"
        labeller = make_labeller(shop, load_settings(shop, {}, environment={}), state)
        trusted = labeller.trustable()
        trust_store(state).trust(labeller.root, trusted, labeller.rules.fingerprint())

    return do


@pytest.fixture
def explain(
    home: Path, shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Explain:
    """Runs ``hybridgen explain`` in the project's folder."""
    monkeypatch.chdir(shop)

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        message = ""
        try:
            code = command.main(list(arguments), standalone_mode=False) or 0
        except HybridgenError as error:
            code, message = error.exit_code, str(error)
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err + message)

    return run


@pytest.fixture
def watched(home: Path, shop: Path) -> Explain:
    """The same in a process of its own, which tells on stderr what was imported and opened."""

    def run(*arguments: str, program: str = WATCHED) -> Done:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", program, "explain", *arguments],
            env=environment,
            cwd=shop,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def document(done: Done) -> dict[str, Any]:
    assert done.stderr == ""
    return json.loads(done.stdout)


def labels(done: Done) -> dict[str, str]:
    return {file["path"]: file["label"] for file in document(done)["files"]}


def test_without_trust_all_is_confidential_and_the_table_says_what_is_missing(explain) -> None:
    done = explain()
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].endswith("shop: 8 files")
    assert lines[4].split() == ["8", "confidential", "the", "model", "on", "this", "machine"]
    [money] = [line for line in lines if line.startswith("confidential  shop/money.py")]
    assert money.endswith("in project file hybridgen.toml, which needs: hybridgen trust")
    # The fifth one is a test of what is confidential: trust would not loosen it.
    assert "4 with marks of the project's own that need: hybridgen trust" in done.stdout


def test_marks_that_trust_would_not_help_are_not_counted_and_say_so(explain, shop, trust) -> None:
    (shop / "docs/secret.py").write_text('"""Text."""\n\n# Proprietary\n')
    (shop / "docs/cells.ipynb").write_text("{}")
    (shop / "docs/listed.md").write_text("x")
    (shop / ".aiexclude").write_text("listed.md\n")
    assert "4 with marks of the project's own that need: hybridgen trust" in explain().stdout
    text = explain("docs/secret.py").stdout
    assert "line 3 says “Proprietary” (see labels.headers) (header)" in text
    assert "trust would not change the label (untrusted mark)" in text
    assert "needs: hybridgen trust" not in text
    trust()
    assert "hybridgen trust" not in explain().stdout


def test_an_untrusted_mark_for_internal_is_said_once(explain, shop) -> None:
    (shop / "shop/own.py").write_text("# hybridgen: internal\n")
    for name in ("shop/orders.py", "shop/own.py"):
        lines = explain(name).stdout.splitlines()
        said = [line for line in lines if " internal      " in line and "hybridgen trust" in line]
        assert len(said) == 1
        assert sum("internal      " in line for line in lines) == 1


def test_a_public_file_that_imports_what_is_stricter_says_that_its_prompts_may_stay(
    explain, shop, home, trust
) -> None:
    (shop / "shop/money.py").write_text("from shop import pricing\n\ndef f(x):\n    return x\n")
    trust()
    text = explain("shop/money.py").stdout
    assert (
        "  but       it imports shop/pricing.py, which is confidential: prompts know nothing of "
        "what is stricter, and where the code does not run without it, they stay on this machine "
        "(context = raise)\n"
    ) in text
    [money] = document(explain("--json", "shop/money.py"))["files"]
    assert money["imports_stricter"] == [{"path": "shop/pricing.py", "label": "confidential"}]
    listed = explain().stdout
    # Its test and what is internal import it.
    assert "3 importing what is stricter: prompts know nothing of" in listed
    [line] = [line for line in listed.splitlines() if line.startswith("public        shop/money")]
    assert line.endswith("; but it imports shop/pricing.py, which is confidential")
    (home / ".config/hybridgen/config.toml").write_text(f'context = "drop"\n{SETTINGS}')
    assert "it imports" not in explain("shop/money.py").stdout
    (home / ".config/hybridgen/config.toml").write_text(SETTINGS)
    assert "it imports" not in explain("shop/money.py", "--offline").stdout


def test_a_public_file_that_imports_a_package_that_nobody_named_says_so(
    explain, shop, home, trust
) -> None:
    (shop / "shop/money.py").write_text("import click, json\n\ndef f(x):\n    return x\n")
    trust()
    text = explain("shop/money.py").stdout
    assert "  but       it imports the package click: prompts know nothing of" in text
    assert 'labels.packages_public = ["click"] in your own settings' in text
    [money] = document(explain("--json", "shop/money.py"))["files"]
    assert money["imports_packages"] == ["click"]
    named = f'[labels]\npackages_public = ["*"]\n{SETTINGS}'
    (home / ".config/hybridgen/config.toml").write_text(named)
    assert "it imports" not in explain("shop/money.py").stdout


def test_stricter_files_are_found_through_others_but_not_in_the_standard_library(
    explain, shop, trust
) -> None:
    (shop / "shop/orders.py").write_text("from . import pricing\n")
    (shop / "shop/money.py").write_text("import json\nimport decimal\n\nf = json.dumps\n")
    trust()
    assert "it imports" not in explain("shop/money.py").stdout
    (shop / "docs/far.py").write_text("import shop.money\nimport docs.near\n")
    (shop / "docs/near.py").write_text("def f():\n    import shop.pricing\n")
    trust()
    assert "it imports shop/pricing.py, which is confidential" in explain("docs/far.py").stdout


def test_a_confidential_file_is_asked_about_nowhere_and_no_terms_are_shown(explain) -> None:
    text = explain("shop/pricing.py").stdout
    assert "Google Gemini\n  not asked: this file is confidential\n" in text
    assert "the server in the building\n  not asked: this file is confidential" in text
    assert "https://" not in text
    assert "terms" not in text


def test_terms_are_shown_only_for_what_may_go_there(explain, trust) -> None:
    trust()
    text = explain("shop/orders.py", "shop/pricing.py").stdout
    assert "Google Gemini\n  not asked: these files are internal or confidential\n" in text
    assert "terms onprem: " in text


def test_a_folder_counts_first_and_then_lists_every_file_the_loosest_first(explain, trust) -> None:
    trust()
    lines = explain(".").stdout.splitlines()
    counts = [line.split()[:2] for line in lines[2:5]]
    assert counts == [["3", "public"], ["1", "internal"], ["4", "confidential"]]
    assert "Google Gemini, else the server in the building, else the model" in lines[2]
    assert "Gemini" not in lines[3]
    table = [line.split()[:2] for line in lines[-8:]]
    assert table == [
        ["public", "docs/index.md"],
        ["public", "shop/money.py"],
        ["public", "tests/test_money.py"],
        ["internal", "shop/orders.py"],
        ["confidential", "hybridgen.toml"],
        ["confidential", "shop/__init__.py"],
        ["confidential", "shop/pricing.py"],
        ["confidential", "tests/test_pricing.py"],
    ]
    assert "imports shop/pricing.py" in lines[-1]


def test_a_test_that_trust_in_what_it_imports_would_loosen_says_so(explain) -> None:
    [line] = [line for line in explain().stdout.splitlines() if "  tests/test_money" in line]
    assert line.endswith("imports shop/money.py: confidential; looser after: hybridgen trust")
    [line] = [line for line in explain().stdout.splitlines() if "  tests/test_pricing" in line]
    assert line.endswith("imports shop/pricing.py: confidential")


def test_where_and_under_which_terms_text_would_be_sent_is_said(explain, trust) -> None:
    trust()
    text = explain("shop/money.py").stdout
    assert (
        "https://generativelanguage.googleapis.com, model gemini-flash-latest, by google-genai"
        in text
    )
    assert "terms paid: Google does not improve products with it" in text
    assert "read 20" in text
    assert "http://models.example.com:8000/v1, not encrypted on its way, model qwen" in text


def test_gemini_is_not_set_up_without_its_library_and_the_command_that_gets_it_is_named(
    explain, trust, tmp_path, monkeypatch
) -> None:
    trust()
    google = tmp_path / "other/google"  # something of Google's, but not this
    google.mkdir(parents=True)
    (google / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(google.parent)
    text = explain("shop/money.py").stdout
    said = "google-genai is not installed: pip install 'hybridgen[gemini]'"
    assert "  read by   the server in the building, else the model on this machine\n" in text
    assert f"Google Gemini\n  not asked: {said}\n" in text
    assert said in explain("shop/money.py", "--backend", "gemini").stdout


def test_a_file_tells_its_label_its_readers_and_every_piece_of_evidence(explain, trust) -> None:
    trust()
    text = explain("shop/money.py").stdout
    assert text.startswith(
        "shop/money.py: public\n"
        "  read by   Google Gemini, else the server in the building, else the model on this "
        "machine\n"
        "  because   public code may be read by Google Gemini\n"
        "  checked   no secret, and no copy of what is stricter, is in the prompts that source "
        "alone makes\n"
        "  evidence  public        marked public by /shop/money.py in project file hybridgen.toml"
        " (mark)\n"
    )
    assert "trusted as public by you" in text


def test_a_secret_in_a_public_file_is_said_with_the_functions_and_the_next_command(
    explain, shop, home, trust
) -> None:
    (shop / "shop/money.py").write_text(SIGNING)
    trust()
    done = explain("shop/money.py")
    assert done.returncode == 0
    assert done.stdout.startswith(
        "shop/money.py: public, but a part is refused, and a run ends there\n"
    )
    assert (
        "  refused   the prompt for sign: shop/money.py:6 seems to hold a secret: AWS key\n"
        "            take it out of the code, and change it where it is used; or let the model on "
        "this machine do it: hybridgen generate shop/money.py --backend local\n"
    ) in done.stdout
    assert "checked" not in done.stdout
    assert KEY not in done.stdout
    for name in ("shop/money.py::half", "shop/money.py::sign"):
        assert ("refused" in explain(name).stdout) == name.endswith("sign")
    assert "refused" not in explain("shop/money.py", "--offline").stdout
    kept = {path.name for path in (home / ".local/state/hybridgen").iterdir()}
    assert kept == {"trust", "labels", "fingerprints"}  # no ledger, so no entry


def test_a_copy_of_a_confidential_file_is_said_with_both_places(explain, shop, trust) -> None:
    (shop / "shop/pricing.py").write_text(f"import json\n\n{SECRET}")
    (shop / "shop/money.py").write_text(f"def half(n):\n    return n // 2\n\n\n{SECRET}")
    trust()
    text = explain("shop/money.py").stdout
    [line] = [line for line in text.splitlines() if line.startswith("  refused")]
    assert line.startswith("  refused   the prompt for partner_price: shop/money.py:5 has text of ")
    assert f"{shop}/shop/pricing.py:3, which is confidential" in line
    found = document(explain("--json", "shop/money.py", "shop/orders.py"))
    assert found["label"] == "confidential"  # since it names a file that is
    money, orders = found["files"]
    assert money["gate"]["asked_about"] == ["half", "partner_price"]
    [refusal] = money["gate"]["refusals"]
    assert refusal["targets"] == ["partner_price"]
    assert (refusal["reason"], refusal["place"]) == ("copy", "shop/money.py:5")
    assert refusal["copy_of"] == f"{shop}/shop/pricing.py:3"
    assert refusal["next"].endswith("hybridgen generate shop/money.py --backend local")
    assert orders["gate"] == {"asked_about": ["total"], "refusals": []}
    assert "prompts" not in money


def test_a_public_file_that_is_asked_about_alone_does_not_pass_for_the_first_of_its_copies(
    explain, shop, trust
) -> None:
    (shop / "shop/pricing.py").write_text(SECRET)
    (shop / "shop/money.py").write_text(SECRET)
    trust()
    assert "refused" not in explain("--offline", "shop/money.py").stdout
    assert "refused   the prompt for partner_price" in explain("shop/money.py").stdout


def test_in_a_folder_secrets_are_looked_for_only_where_prompts_are_shown(
    explain, shop, trust
) -> None:
    (shop / "shop/money.py").write_text(SIGNING)
    trust()
    said = "are looked for in the prompts of one file: hybridgen explain FILE"
    assert said in explain("shop").stdout
    assert "refused" not in explain("shop").stdout
    shown = explain("shop", "--prompt").stdout
    assert "  refused   the prompt for sign: shop/money.py:6 seems to hold a secret" in shown
    assert said not in shown
    assert said not in explain("shop", "--offline").stdout


def test_a_public_file_of_which_no_prompt_is_made_says_so(explain, shop, trust) -> None:
    (shop / "shop/money.py").write_text("def f(:\n")
    trust()
    text = explain("shop/money.py", "docs/index.md").stdout
    assert "  but       there is no prompt to send: shop/money.py:1: syntax error" in text
    assert "  but       there is no prompt to send: it is no Python file" in text
    (shop / "shop/money.py").write_text("RATE = 3\n\ndef _f(x):\n    return x\n")
    text = explain("shop/money.py").stdout
    assert "  but       there is no prompt to send: it defines nothing public to test\n" in text


def test_a_link_is_as_confidential_as_what_it_leads_to(explain, trust) -> None:
    trust()
    assert labels(explain("--json", "docs/linked.py")) == {"shop/pricing.py": "confidential"}
    said = explain("docs/linked.py").stdout
    assert said.startswith(
        "shop/pricing.py: confidential\n  asked as  docs/linked.py, a link that leads to it\n"
    )
    assert "asked as" not in explain("docs/../shop/pricing.py").stdout
    outside = explain("docs/outside.txt").stdout
    assert outside.startswith("docs/outside.txt: confidential\n")


def test_a_backend_that_may_not_read_a_file_is_shown_as_a_refusal(explain, trust) -> None:
    trust()
    text = explain("shop/pricing.py", "--backend", "gemini").stdout
    assert "refused: backend 'gemini' may read public code only" in text
    assert "offline" in explain("shop/money.py", "--offline").stdout


def test_the_prompts_are_shown_with_label_and_origin_of_every_line(explain, trust) -> None:
    trust()
    text = explain("shop/orders.py", "shop/money.py::rounded", "--prompt").stdout
    assert "prompt for shop/orders.py::total: internal, about " in text
    assert "prompt for shop/money.py::rounded: public, about " in text
    [line] = [line for line in text.splitlines() if line.endswith("|     return sum(items)")]
    assert line.split()[:2] == ["internal", "shop/orders.py:3"]
    line = next(line for line in text.splitlines() if "You are an expert" in line)
    assert line.split()[:3] == ["public", "template", "system"]


def test_json_states_the_strictest_label_and_holds_no_source_unless_asked(explain, trust) -> None:
    trust()
    done = explain("--json", ".")
    found = document(done)
    assert found["label"] == "confidential"
    assert found["counts"] == {"public": 3, "internal": 1, "confidential": 4}
    assert found["receivers"]["gemini"]["terms"] == "paid"
    assert found["ways"]["internal"]["steps"] == ["onprem", "local"]
    for text in ("price - cost", "round(value, 2)"):
        assert text not in done.stdout
    [money] = document(explain("--json", "--prompt", "shop/money.py"))["files"]
    fragments = money["prompts"][0]["fragments"]
    assert any("round(value, 2)" in fragment["text"] for fragment in fragments)
    assert {fragment["label"] for fragment in fragments} == {"public"}
    [path] = {name for fragment in fragments for name in fragment["files"]}
    assert path == "shop/money.py"


@pytest.mark.parametrize("arguments", [["."], ["shop/money.py"], ["--check", "labels.json"]])
def test_no_connection_is_opened_and_no_model_or_cloud_library_is_loaded(
    explain, watched, trust, arguments
) -> None:
    trust()
    explain("--record", "labels.json")
    done = watched(*arguments)
    modules, sockets = done.stderr.splitlines()
    assert "shop" in done.stdout or "public" in done.stdout
    assert sockets == "[]"
    heavy = ["llama_cpp", "google", "httpx2", "huggingface_hub", "requests", "keyring"]
    if arguments[0] != "shop/money.py":  # its prompts are made, to ask the gate
        heavy.append("jinja2")
    assert [name for name in heavy if f"'{name}" in modules] == []
    assert "'hybridgen'" in modules


def test_the_watcher_itself_sees_sockets_and_imports(watched) -> None:
    program = WATCHED.replace(
        "from hybridgen", "import socket, jinja2; socket.socket()\nfrom hybridgen"
    )
    modules, sockets = watched("shop/money.py", program=program).stderr.splitlines()
    assert "'jinja2'" in modules
    assert "socket.__new__" in sockets


def test_prompts_are_made_without_a_connection_or_a_model_too(watched, trust) -> None:
    trust()
    modules, sockets = watched("--prompt", "shop").stderr.splitlines()
    assert sockets == "[]"
    assert "'jinja2'" in modules
    assert "llama_cpp" not in modules


def test_nothing_got_looser_is_exit_0_even_where_nothing_is_trusted(explain, trust) -> None:
    recorded = explain("--record", "labels.json")
    assert (recorded.returncode, recorded.stderr) == (0, "")
    assert "3 public and 1 internal" in recorded.stdout
    assert explain("--check", "labels.json").returncode == 0
    trust()
    assert explain("--check", "labels.json").returncode == 0


def test_a_record_replaces_a_record_and_nothing_else(explain, shop) -> None:
    assert explain("--record", "labels.json").returncode == 0
    assert explain("--record", "labels.json").returncode == 0
    before = (shop / "shop/pricing.py").read_text()
    done = explain("--record", "shop/pricing.py")
    assert done.returncode == 2
    assert "is no record of labels, so it is not replaced" in done.stderr
    assert (shop / "shop/pricing.py").read_text() == before


def test_the_record_names_paths_and_labels_in_order_and_nothing_else(explain, shop) -> None:
    explain("--record", "labels.json")
    found = json.loads((shop / "labels.json").read_text())
    assert list(found["labels"].items()) == [
        ("docs/index.md", "public"),
        ("shop/money.py", "public"),
        ("shop/orders.py", "internal"),
        ("tests/test_money.py", "public"),
    ]
    assert sorted(path.name for path in shop.glob("*labels*")) == ["labels.json"]


@pytest.mark.parametrize(
    ("old", "new", "path", "change"),
    [
        ("orders", "orders", "docs/plan.md", "public now, not in labels.json"),
        ('["/docs/"', '["/docs/"', "tests/test_new.py", "public now, not in labels.json"),
        ('public = ["/shop/money.py"', 'public = ["/shop/"', "shop/new.py", "public now, not in "),
        ('"/shop/orders.py"', '"/shop/pricing.py"', None, "shop/pricing.py: marked internal now"),
        ('["/shop/money.py"', '["/shop/orders.py"', None, None),
    ],
)  # fmt: skip
def test_a_file_that_got_looser_than_recorded_fails_the_build(
    explain, shop, old, new, path, change
) -> None:
    explain("--record", "labels.json")
    marks = shop / "hybridgen.toml"
    marks.write_text(marks.read_text().replace(old, new))
    if path is not None:
        (shop / path).write_text("secret = 1\n")
    done = explain("--check", "labels.json")
    if change is None:  # marked both public and internal: the stricter one still wins
        assert done.returncode == 0
        return
    assert done.returncode == 1
    assert change in done.stdout
    assert path is None or f"{path}: " in done.stdout
    assert "hybridgen explain --record labels.json" in done.stdout
    assert "to see which mark: hybridgen explain " in done.stdout


def test_what_got_looser_is_compared_with_what_was_recorded(explain, shop) -> None:
    explain("--record", "labels.json")
    marks = shop / "hybridgen.toml"
    marks.write_text(MARKS.replace('internal = ["/shop/orders.py"]', "").replace("money", "orders"))
    done = explain("--check", "labels.json")
    assert "shop/orders.py: marked public now, internal in labels.json\n" in done.stdout
    assert "1 looser by the project's own marks, trusted or not" in done.stdout


def test_the_record_is_the_same_whatever_the_user_marks(explain, shop, home) -> None:
    explain("--record", "labels.json")
    before = (shop / "labels.json").read_text()
    with (home / ".config/hybridgen/config.toml").open("a") as stream:
        stream.write("[labels]\npublic = ['/shop/*']\nconfidential = ['/docs/']\n")
    assert labels(explain("--json", "shop/pricing.py")) == {"shop/pricing.py": "public"}
    explain("--record", "labels.json")
    assert (shop / "labels.json").read_text() == before


def test_stricter_labels_and_removed_files_pass_the_check(explain, shop) -> None:
    explain("--record", "labels.json")
    (shop / "shop/orders.py").unlink()
    (shop / ".aiexclude").write_text("docs/\n")
    assert explain("--check", "labels.json").returncode == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"hybridgen_labels": 1, "labels": {"a": "free"}}', "\xff"]
)
def test_a_damaged_record_is_wrong_usage(explain, shop, text) -> None:
    (shop / "labels.json").write_text(text, encoding="latin-1")
    done = explain("--check", "labels.json")
    assert done.returncode == 2
    assert "is no record of labels" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.py"], "nowhere.py does not exist"),
        (["--check", "nowhere.json"], "nowhere.json cannot be read"),
        (["--check", "a", "--record", "b"], "contradict each other"),
        (["--check", "a", "--json"], "--json shows nothing with --record or --check"),
        (["--record", "a", "--prompt"], "--prompt shows nothing with --record or --check"),
        (["--record", "no/such/folder.json"], "cannot be written"),
        (["shop::name"], "only a file can have ::name"),
        (["/usr/share", "."], "several projects"),
        (["/"], "which is no project"),
        (["--backend", "cloud"], "backend = 'cloud' cannot be right"),
    ],
)
def test_what_cannot_be_right_is_exit_2(explain, arguments, message) -> None:
    done = explain(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_a_module_without_a_prompt_says_why(explain, shop) -> None:
    (shop / "shop/broken.py").write_text("def f(:\n")
    done = explain("--prompt", "shop/broken.py")
    assert done.returncode == 0
    assert "shop/broken.py: no prompt: shop/broken.py:1: syntax error" in done.stdout


def test_names_that_steer_a_terminal_are_shown_as_escapes(explain, shop) -> None:
    (shop / "docs/a\x1b[2J\nb.py").write_text("x = 1\n")
    text = explain().stdout
    assert "\x1b" not in text
    assert "\\x1b[2J b.py" in text
