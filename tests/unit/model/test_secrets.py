"""Patterns of secrets: each finds its examples, in Python and in DuckDB alike, and no more."""

import re
from functools import cache

import duckdb
import pytest

from regista.model import secrets
from support.site_secrets import ADDRESSES, BY_NAME, EXAMPLES

PAIRS = [(what, text, part) for what, pairs in EXAMPLES.items() for text, part in pairs]
CASES = pytest.mark.parametrize(("what", "text", "part"), PAIRS)
AROUND = (
    "{}",
    "a {} b",
    "first line\n{}\nlast",
    '"{}"',
    "key={}",
    "({})",
    "`{}`,",
    "\\n{}",
    "\\t{}",
)
HARMLESS = (
    "", "0.1", "latest", "sk-learn", "sk-image is a package", "ghp_short", "AKIA", "hf_hub",
    "https://example.org:8080/path", "http://localhost:5000", "s3://bucket/key@v1", "a:b@c",
    "https://example.org/user:pass@x", "git@github.com:org/repo.git", "eyJ is how a JWT begins",
    "ssh://git@host/repo", "PRIVATE KEY", "-----BEGIN PUBLIC KEY-----", "token", "mykey=1",
    "sha256:" + "a" * 64, "xoxo", "AIza", "e" * 1000, "see https://a.b: c@d",
)  # fmt: skip
# longer than a quadratic algorithm could do in a test's time
HOSTILE = tuple(part * (1_000_000 // len(part)) for part in (
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n", "-", "a://", "a://b:", "a://:",
    "a+", "a.", "eyJ", "eyJ.", "eyJaaaaaaaaaaaa.", "sk-", "AKIA", "@", "a@", "a@a.", "a" , "\\n",
    "https://a:bbb",
))  # fmt: skip


@cache
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def redacted(text: str, pattern: str = "") -> str:
    """Return a text as DuckDB replaces what a pattern finds."""
    query = "SELECT regexp_replace($text, $pattern, 'X', 'g')"
    values = {"text": text, "pattern": pattern or secrets.all_patterns()}
    ((found,),) = database().execute(query, values).fetchall()
    return str(found)


def test_every_pattern_has_an_example() -> None:
    assert EXAMPLES.keys() == secrets.PATTERNS.keys()


@CASES
@pytest.mark.parametrize("around", AROUND)
def test_a_secret_is_found_wherever_it_stands(what: str, text: str, part: str, around: str) -> None:
    found = around.format(text)
    assert secrets.find_secret("name", found) == what
    assert secrets.may_have_any(found)
    assert part not in redacted(found)


@CASES
def test_a_secret_is_found_as_json_writes_it(what: str, text: str, part: str) -> None:
    written = text.replace("\r", "\\r").replace("\n", "\\n")
    assert secrets.find_secret("name", f'{{"a": "x\\n{written}"}}') == what
    assert part not in redacted(f'{{"a": "x\\n{written}"}}')


@CASES
def test_what_stands_around_a_secret_stays(what: str, text: str, part: str) -> None:
    assert what
    assert part
    shown = redacted(f'before "{text}" after')
    assert shown.startswith('before "')
    assert shown.endswith('" after')


@CASES
def test_python_and_duckdb_find_the_same(what: str, text: str, part: str) -> None:
    assert part in text
    found = f"x '{text}' y '{text}' z"
    pattern = secrets.PATTERNS[what]
    assert redacted(found, pattern) == re.sub(pattern, "X", found)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_is_left(text: str) -> None:
    assert secrets.find_secret("name", text) is None
    assert redacted(text) == text


@pytest.mark.parametrize("name", [*BY_NAME, "password", "x-api-key", "AWS_SECRET_ACCESS_KEY"])
def test_a_name_can_tell(name: str) -> None:
    assert secrets.find_secret(name, "anything") == "a credential, by its name"
    assert secrets.find_secret(name, "") is None


@pytest.mark.parametrize("name", ["passwords", "keyboard", "secret_santa", "tokens", "monkey", ""])
def test_a_name_that_tells_nothing_is_left(name: str) -> None:
    assert secrets.find_secret(name, "anything") is None


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("around", ["{}", "<{}>", "by {}, at noon", "mailto:{}", "{}_x", "{}2"])
def test_an_address_is_found(address: str, around: str) -> None:
    text = around.format(address)
    assert secrets.may_have_any(text)
    domain = address.partition("@")[2]
    assert domain not in redacted(text, secrets.EMAIL)
    assert re.sub(secrets.EMAIL, "X", text) == redacted(text, secrets.EMAIL)


@pytest.mark.parametrize("text", ["fraud@3", "fraud@prod", "@", "a@b", "fraud@1.4.2", "x @ y.de"])
def test_what_is_no_address_is_left(text: str) -> None:
    assert redacted(text, secrets.EMAIL) == text


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
def test_a_text_made_to_be_slow_is_looked_at(text: str) -> None:
    secrets.find_secret("name", text)
    redacted(text)
    redacted(text, secrets.EMAIL)


@pytest.mark.parametrize("text", [text for text in HARMLESS if not re.search("[@:]", text)])
def test_a_quick_look_says_no_to_most_texts(text: str) -> None:
    signs = ("gh", "sk-", "AKIA", "hf_", "eyJ", "PRIVATE KEY", "xox", "AIza")
    assert secrets.may_have_any(text) == any(sign in text for sign in signs)


TEXTS = [*HARMLESS, *HOSTILE, *ADDRESSES, *(text for _what, text, _part in PAIRS)]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:20]))
def test_the_quick_look_is_the_same_in_sql(text: str) -> None:
    query = "SELECT regexp_matches($text, $pattern)"
    values = {"text": text, "pattern": secrets.any_sign()}
    assert database().execute(query, values).fetchall() == [(secrets.may_have_any(text),)]
