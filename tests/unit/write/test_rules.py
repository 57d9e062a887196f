"""The rules as SQL say what the Python functions say, all over Unicode."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from regista.errors import InvalidInputError
from regista.model import names
from regista.model.manifest import Manifest
from regista.read.duck import quoted
from regista.write import rules

LONG = [
    *("x" * length for length in (0, 1, 250, 251, 255, 256, 10_000, 10_001, 100_000, 100_001)),
    *("é" * length for length in (255, 256)),
]
WORDS = [
    "latest", "Latest", "12", "1.4.2", "v1", "-a", "a b", "a+b", " ", " a", "a\u00a0",
    "\u00a0\u3000", "a\nb", "a\tb", "a\u2028b", "a\x00b", "ab" * 32, "AB" * 32, "a" * 63,
    "e\u0301", "😀", "",
]  # fmt: skip
CODES = [*range(0xD800), *range(0xE000, 0x10000), *range(0x10000, 0x110000, 61)]
CHARACTERS = [chr(code) for code in CODES]
PAIRS = [
    "", "{}", "[]", "null", "3", '"a"', "{", '{"a":"b"}', '{"a":1}', '{"a":null}', '{"a":{}}',
    '{"a":"b","a":"c"}', '{"":"b"}', '{"a":""}', '{"a\\nb":"c"}', '{"a":"b\\nc"}',
    '{"a":"\\u0000"}', json.dumps({"x" * 250: "y"}), json.dumps({"x" * 251: "y"}),
    json.dumps({"x": "y" * 100_001}),
]  # fmt: skip


def refuses(check: Callable[[str], object], text: str) -> bool:
    try:
        check(text)
    except InvalidInputError:
        return True
    return False


def no_pairs(text: str) -> None:
    def once(items: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(items)) != len(items):
            raise InvalidInputError("twice")
        return dict(items)

    try:
        value = json.loads(text, object_pairs_hook=once)
    except ValueError as error:
        raise InvalidInputError("no JSON") from error
    if not isinstance(value, dict) or any(not isinstance(item, str) for item in value.values()):
        raise InvalidInputError("no object of texts")
    for key, item in value.items():
        names.tag_key(key)
        names.tag_value(str(item))


def sha256(text: str) -> None:
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise InvalidInputError("no digest")


def uri(text: str) -> None:
    names.plain_text(text or "\x00", "a uri", names.MAX_REASON)
    Manifest((), text)


def broken(tmp_path: Path, rule: Callable[[str], str], texts: list[str]) -> set[int]:
    lines = tmp_path / "texts.jsonl"
    lines.write_text("".join(json.dumps({"i": i, "t": t}) + "\n" for i, t in enumerate(texts)))
    source = f"read_json({quoted(str(lines))}, columns = {{i: 'BIGINT', t: 'VARCHAR'}})"
    with duckdb.connect() as con:
        query = f"SELECT i FROM {source} WHERE {rule('t')}"
        found = con.execute(query).fetchall()
    return {row[0] for row in found}


@pytest.mark.parametrize(
    ("rule", "check", "texts"),
    [
        (rules.no_identifier, lambda t: names.identifier(t, "x"), CHARACTERS + WORDS + LONG),
        (
            rules.no_plain_text,
            lambda t: names.plain_text(t, "x", names.MAX_REASON),
            CHARACTERS + WORDS + LONG,
        ),
        (rules.no_tag_key, names.tag_key, CHARACTERS + WORDS + LONG),
        (rules.no_tag_value, names.tag_value, CHARACTERS + WORDS + LONG),
        (rules.no_label, names.label, CHARACTERS[:0x3000] + WORDS + LONG),
        (rules.no_uri, uri, CHARACTERS + WORDS + LONG),
        (rules.no_sha256, sha256, WORDS),
        (rules.no_pairs, no_pairs, PAIRS),
    ],
)
def test_sql_and_python_refuse_the_same_texts(
    rule: Callable[[str], str],
    check: Callable[[str], object],
    texts: list[str],
    tmp_path: Path,
) -> None:
    expected = {i for i, text in enumerate(texts) if refuses(check, text)}
    assert {texts[i] for i in broken(tmp_path, rule, texts) ^ expected} == set()
    assert expected
