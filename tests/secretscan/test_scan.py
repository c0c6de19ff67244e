"""The search for secrets. Samples are put together here, so that no scanner finds one."""

from __future__ import annotations

import base64
import hashlib
import string
import subprocess
import sys
import textwrap

import pytest

from hybridgen.secretscan import Secret, find_secrets, secret_in

RANDOM = base64.b64encode(hashlib.sha256(b"7").digest()).decode()
HEX = hashlib.sha256(b"7").hexdigest()

SHAPED = {
    "AWS id": "AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub": "gh" + "p_" + "a" * 36,
    "GitHub, fine-grained": "github_" + "pat_" + "a1" * 20,
    "GitLab": "glp" + "at-" + "a1" * 12,
    "Google": "AIza" + "SyA-1234567890abcdefghijklmnopqrstu",
    "Google client": "GOCS" + "PX-" + "aB1-" * 7,
    "Slack": "xox" + "b-123456789012-abcdef",
    "Slack webhook": "https://hooks.sla" + "ck.com/services/T0AAAAAA1/B0AAAAAA1/" + "aB1x" * 6,
    "Stripe": "sk_" + "live_" + "a1B2" * 6,
    "Hugging Face": "hf_" + "aB" * 18,
    "OpenAI": "sk-" + "proj-abc123def456ghi789jkl",
    "Anthropic": "sk-" + "ant-api03-abcdefghij1234567890",
    "npm": "npm_" + "aB1" * 12,
    "PyPI": "py" + "pi-AgEIcHlwaS5vcmc" + "aB1" * 25,
    "JSON web token": "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0In0" + ".c2lnbmF0dXJl",
    "Azure": "AccountName=shop;Account" + "Key=" + "aB3+" * 21 + "aa==",
    "Azure, by its length": '# Azure\nKEY = "' + ("aB3+" * 22)[:86] + '=="',
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq\n",
    "private key in a literal": '"-----BEGIN ' + 'PRIVATE KEY-----\\n"\n    "MIIEpAIBAAKCAQEA7bq"',
    "SendGrid, by the library": "SG." + "a" * 22 + "." + "b1" * 21 + "c",
    "Twilio, by the library": "A" + "C" + "a1" * 16,
    "private key in a comment": "# -----BEGIN " + "EC  PRIVATE KEY-----\n# MIIEpAIBAAKCAQEA7bq",
    "private key with headers": "-----BEGIN "
    + "RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AA\n\nlQOYBF0xyzABCDEF",
    "private key without its head": "MIIEpAIB" + "AAKCAQEA7bq0",
    "Discord webhook": "https://discord.com/api/web" + "hooks/123456789012345678/" + "aB1x" * 17,
    "Telegram, in a URL": "https://api.telegram.org/bot" + "123456789:AA" + "E1b" * 11,
    "issuer with a prefix": "gsk_" + RANDOM.replace("+", "x").replace("/", "y")[:40],
    "issuer with two prefixes": "pscale_tkn_" + RANDOM.replace("+", "x").replace("/", "y")[:40],
    "Grafana": "glsa_" + "aB1x" * 8 + "_0123abcd",
    "issuer of hexadecimal digits": "sbp_" + HEX[:40],
    "Fernet": "Fernet(b'" + RANDOM.replace("+", "-").replace("/", "_") + "')",
}
NAMED = {
    "assignment": 'password = "' + 'hunter2xkqA91"',
    "annotated": 'API_KEY: str = "' + HEX[:32] + '"',
    "mapping": '{"access_token": "' + HEX[:32] + '"}',
    "item": 'os.environ["SECRET_KEY"] = "' + '9d8fh3kd02ks"',
    "argument": 'connect(user="ann", password="' + 'tr0ub4dor&3")',
    "default": 'environ.setdefault("SHOP_SECRET_KEY", "' + '9d8fh3kd02ks")',
    "environment file": "# .env\nDB_PASSWORD=" + "k8sd0Kd92lsd",
    "AWS secret": 'aws_secret_access_key = "' + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYZZZZZZKEY1" + '"',
    "connection string": "Server=db;User Id=ann;Password=" + "s3cr3d;",
    "URL": "postgres://" + "ann:" + "hunter22" + "@db/shop",
    "URL without a user": "redis://" + ":" + "hunter22" + "@db/0",
    "field": 'password: SecretStr = Field(default="' + 's3cr3T!kq91Za")',
    "fallback": 'password = os.environ.get("DB_PASSWORD") or "' + 's3cr3T!kq91Za"',
    "pair": 'requests.get(url, auth=("ann", "' + 's3cr3T!kq91Za"))',
    "comment": "# password: " + "s3cr3T!kq91Za",
    "settings in a text": 'CONFIG = """\n  password: ' + 's3cr3T!kq91Za\n"""',
    "element": "<password>" + "s3cr3T!kq91Za</password>",
    "query": "jdbc:mysql://db/shop?user=ann&password=" + "s3cr3T!kq91Za",
    "netrc": "machine example.org login ann password " + "s3cr3T!kq91Za",
    "command": "PGPASSWORD=" + "s3cr3T!kq91Za psql",
    "bearer": 'headers = {"Authorization": "Bearer ' + HEX[:40] + '"}',
    "basic": 'headers = {"Authorization": "Basic '
    + base64.b64encode(b"ann:s3cr3T!kq91Za").decode()
    + '"}',
    "with a word of placeholders": 'password = "' + 'Secret-s3cr3T!kq91Za"',
    "other languages": 'passwort = "' + 's3cr3T!kq91Za"',
}
TOKEN = "gh" + "p_" + "aB3dE5gH1jK2mN4pQ6sT8vW0yZ9bC7fA5xR2"
WRITTEN = {
    "two literals": f'KEY = "{TOKEN[:9]}" "{TOKEN[9:]}"',
    "two lines": f'KEY = (\n    "{TOKEN[:9]}"  # one\n    "{TOKEN[9:]}"\n)',
    "a sum": f"KEY = '{TOKEN[:9]}' + \\\n    f'{TOKEN[9:]}'",
    "a line that goes on": f'KEY = "{TOKEN[:9]}\\\n{TOKEN[9:]}"',
    "escapes": 'KEY = "' + "".join(f"\\x{ord(char):02x}" for char in TOKEN) + '"',
    "one escape": f'KEY = "\\u0067{TOKEN[1:]}"',
    "quoted JSON": '"{\\"api_key\\": \\"' + HEX[:32] + '\\"}"',
    "base64": f'KEY = b64decode("{base64.b64encode(TOKEN.encode()).decode()}")',
    "base64 in several lines": "\n".join(
        f'"{line}"'
        for line in textwrap.wrap(base64.b64encode(f"{'x' * 40} {TOKEN}".encode()).decode(), 40)
    ),
    "base64 for URLs": base64.urlsafe_b64encode(b">>>???" + TOKEN.encode()).decode().rstrip("="),
    "hexadecimal digits": f'KEY = bytes.fromhex("{TOKEN.encode().hex()}")',
    "wide characters": "".join(chr(ord(char) + 0xFEE0) for char in TOKEN),
    "invisible characters": f'KEY = "{TOKEN[:2]}\u200b{TOKEN[2:]}"',
    "two literals of a named value": f'password = "s3cr3T" "{TOKEN[4:12]}"',
}
HOSTILE = {
    "a head of a key and colons": "-----BEGIN " + "PRIVATE KEY-----\n" + "a: " * 200 + "!",
    "blanks": "password" + " " * 5000 + "x",
    "quotes": "\"'" * 20_000,
    "words": "password" * 5000,
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_secret_is_found_however_it_is_written(text: str) -> None:
    found = find_secrets(f"def load():\n    return 1\n\n{text}\n")
    assert found != []
    assert all(4 <= secret.line <= 6 for secret in found)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_keeps_the_search_busy_for_ever(text: str) -> None:
    code = "import sys; from hybridgen.secretscan import find_secrets; find_secrets(sys.argv[1])"
    subprocess.run([sys.executable, "-I", "-c", code, text], check=True, timeout=60)


@pytest.mark.parametrize("text", [*SHAPED.values(), *NAMED.values()], ids=[*SHAPED, *NAMED])
def test_a_secret_is_found_in_its_line(text: str) -> None:
    found = find_secrets(f"def load():\n    return 1\n\n{text}\n")
    assert found != []
    assert all(secret.line in (4, 5) for secret in found)


@pytest.mark.parametrize("text", [*SHAPED.values(), *NAMED.values()], ids=[*SHAPED, *NAMED])
def test_what_is_found_does_not_hold_the_secret(text: str) -> None:
    inner = max(text.replace('"', " ").split(), key=len)
    assert all(inner not in secret.kind for secret in find_secrets(text))


def test_secrets_come_in_the_order_of_their_lines_and_are_counted_once() -> None:
    key, token = SHAPED["Google"], SHAPED["Hugging Face"]
    text = f"a = '{token}'\nb = '{key}' + '{key}'\n"
    assert find_secrets(text) == [Secret("Hugging Face token", 1), Secret("Google key", 2)]


@pytest.mark.parametrize(
    "text",
    [
        'token = "access_token"',
        'password = "changeme1"',
        'password: "<password-1>"',
        'secret = os.environ["SECRET_KEY_1"]',
        'API_KEY = "your-api-key-123"',
        'SECRET = "xxxxxxxx1xxxxxxx"',
        'auth_token = "${TOKEN_1}"',
        'TOKEN_URL = "https://example.org/oauth2/token"',
        "http://user:password@host/",
        "http://{user}:{password1}@host/",
        '"token_type": "oauth2_bearer"',
        'assert parse_token("abc-1 def")',
        f'digest = "{HEX}"',
        f'data = "{RANDOM}"',
        'ICON = "' + base64.b64encode(bytes(range(256))).decode() + '"',
        'css = "sk-estimator-doc-link-item-long"',
        '("tokens", "symbol2label")',
        '"ssh2_auth_password",\n"ssh2_auth_pubkey_file",',
        "token_count=candidates[-1].token_count,",
        'open(join(pwd, "./data/testset-1.csv"))',
        "key: convert_number_values_for_function_call_args(value)",
        '"next_page_token": "token_next_123"',
        'if line.startswith("-----BEGIN PRIVATE KEY-----"):',
        'HEADS = ("-----BEGIN PRIVATE KEY-----", PrivateKeyHandlerClass)',
        'continuation_token = b"async_tok_1a2b3c"',
        "password=self.settings.database_password2",
        "the token base64-encoded is sent",
        "token=int32_to_b64,",
        "private_key: ed25519.Ed25519PrivateKey,",
        'headers = {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}',
        'headers = {"Authorization": "Bearer my-token-123"}',
        "http://my_long_user_name_of_an_account@host/",
        f"sha256-{RANDOM}",
        f"image_{HEX[:32]}.png",
        'x = "a" "b" + "c"',
        f'"{base64.b64encode(b"an ordinary text about nothing at all").decode()}"',
    ],
)
def test_ordinary_code_and_placeholders_may_be_sent(text: str) -> None:
    assert find_secrets(text) == []


def test_a_placeholder_of_a_fixed_shape_is_still_a_secret() -> None:
    assert find_secrets("id = 'AKIA" + "XXXXXXXXXXEXAMPL'")[0].kind == "AWS key"


@pytest.mark.parametrize(
    "text",
    [
        *(SHAPED[name] for name in ("AWS id", "GitHub", "GitLab", "Google", "Slack", "Stripe")),
        *(SHAPED[name] for name in ("Hugging Face", "JSON web token")),
        "-----BEGIN " + "RSA PRIVATE KEY-----",
        "-----BEGIN " + "PRIVATE KEY-----",
        NAMED["URL"],
        f"'{RANDOM}'",
    ],
)
def test_secrets_among_observed_values_are_named(text: str) -> None:
    assert secret_in(f"assert load() == {text!r}") is not None


@pytest.mark.parametrize(
    "text",
    [
        "assert discount(100, 10) == 90",
        HEX,
        string.ascii_letters + string.digits,
        "a" * 80,
        "12345678-1234-5678-1234-567812345678",
        "the quick brown fox jumps over the lazy dog and does it again",
        "https://example.org/a/b?c=d&e=f",
        "test_a_function_with_a_really_long_name_that_says_what_happens",
        "AaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaB1",
    ],
)
def test_ordinary_values_are_not_secrets(text: str) -> None:
    assert secret_in(text) is None
