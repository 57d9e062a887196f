"""The policy as a value: matching, ids, digests, and the bundle's round trip."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.decide.gates import KINDS, REVISIONS, find_kind, reference
from regista.decide.policy import Gate, Policy, matching_rules, named_files, rules_digest
from regista.decide.policy_bundle import PolicyBundle
from regista.decide.policy_check import check_policy
from regista.errors import IntegrityError, InvalidInputError, NewerFormatError
from regista.model import canonical

Rule = dict[str, object]
THRESHOLD = {"threshold": {"suite": "holdout", "metric": "auc", "min": "0.9"}}
SQL = {"sql": {"file": "gates/latency.sql"}}


def policy(*rules: object, files: dict[str, str] | None = None) -> Policy:
    return Policy.from_json({"format": 1, "stages": ["dev", "prod"], "rules": list(rules)}, files)


def rule(stage: str = "prod", gates: Iterable[object] = (THRESHOLD,), **match: object) -> Rule:
    return {"stage": stage, "match": match, "gates": list(gates)}


def indexes(value: Policy, kind: str, name: str, stage: str = "prod") -> list[int]:
    return [found.index for found in matching_rules(value, kind, name, stage)]


def test_all_rules_that_match_apply_in_order() -> None:
    value = policy(
        rule(),
        rule(kind="model", name="fraud/*"),
        rule(kind="prompt"),
        rule("dev"),
        rule(name=["x", "fraud/?ard"]),
    )
    assert indexes(value, "model", "fraud/card") == [0, 1, 4]
    assert indexes(value, "prompt", "fraud/a/b") == [0, 2]
    assert indexes(value, "model", "other", "dev") == [3]


def test_what_is_left_out_has_the_documented_defaults() -> None:
    value = Policy.from_json({"format": 1, "stages": ["prod"]})
    assert (value.on_register, value.ungated, value.rules) == (None, "allow", ())
    assert value.all_stages == ("prod",)


def test_a_rules_digest_is_of_what_it_asks_and_not_of_its_place() -> None:
    alone = policy(rule(name="a"))
    behind = policy(rule(name="b"), rule(name="a"))
    first = rules_digest(matching_rules(alone, "model", "a", "prod"))
    assert first == rules_digest(matching_rules(behind, "model", "a", "prod"))
    assert first != rules_digest(matching_rules(behind, "model", "b", "prod"))


def test_a_rules_digest_changes_with_the_text_of_a_file_that_it_names() -> None:
    one, two = (
        rules_digest(policy(rule(gates=[SQL]), files={"gates/latency.sql": text}).rules)
        for text in ("SELECT 1", "SELECT 2")
    )
    assert one != two


def test_a_gate_gets_the_text_of_its_file() -> None:
    [gate] = policy(rule(gates=[SQL]), files={"gates/latency.sql": "SELECT 1"}).rules[0].gates
    assert gate.params == {"file": "gates/latency.sql", "query": "SELECT 1"}


def test_a_file_that_is_not_stored_is_an_error() -> None:
    with pytest.raises(InvalidInputError, match=r"gates/latency\.sql"):
        policy(rule(gates=[SQL]))


def test_named_files_gives_each_with_its_place() -> None:
    value = {"format": 1, "stages": ["prod"], "rules": [rule(gates=[THRESHOLD, SQL, "integrity"])]}
    assert list(named_files(value)) == [
        (("rules", 0, "gates", 1, "sql", "file"), "gates/latency.sql")
    ]


@pytest.mark.parametrize(
    ("gate", "own_id"),
    [
        (THRESHOLD, "threshold:holdout/auc"),
        (
            {"threshold": {**THRESHOLD["threshold"], "slices": ["a", "b"]}},
            "threshold:holdout/auc/a,b",
        ),
        ({"threshold": {**THRESHOLD["threshold"], "id": "quality"}}, "quality"),
        ({"baseline": {"suite": "*", "metric": "*"}}, "baseline:*/*"),
        ({"freshness": {"suite": "smoke", "max_age": "1d"}}, "freshness:smoke"),
        ({"coverage": {"suites": "any"}}, "coverage:any"),
        ({"soak": {"stage": "dev", "min": "1d"}}, "soak:dev"),
        ({"drill": {"max_age": "1d"}}, "drill"),
        ({"lineage": {"require": ["run"]}}, "lineage"),
        ("integrity", "integrity"),
        ({"metadata": {"card": True}}, "metadata"),
        ({"sql": {"query": "SELECT 1"}}, "sql"),
    ],
)
def test_a_gates_id_is_its_own_or_made_from_what_tells_it_apart(gate: object, own_id: str) -> None:
    assert Gate.from_json(gate, {}).id == own_id


def test_every_kind_can_be_found_by_its_revision() -> None:
    for name, kind in KINDS.items():
        assert find_kind(name) is kind
        assert find_kind(name, kind.revision) is kind
        assert REVISIONS[name, kind.revision] is kind


@pytest.mark.parametrize(("kind", "revision"), [("clairvoyance", None), ("threshold", 99)])
def test_a_kind_or_revision_of_a_newer_regista_says_so(kind: str, revision: int | None) -> None:
    with pytest.raises(NewerFormatError, match=kind):
        find_kind(kind, revision)


def test_the_reference_tells_of_every_kind_and_every_field() -> None:
    text = reference()
    for name, kind in KINDS.items():
        assert f"### {name}\n" in text
        for field in kind.all_fields:
            assert f"| `{field.name}` |" in text


NAMES = st.text("abc*?/é😀", min_size=1, max_size=5)


@given(names=st.lists(NAMES, min_size=1, unique=True), text=st.text(max_size=30))
def test_a_bundle_reads_back_as_it_was_written(names: list[str], text: str) -> None:
    value = {"format": 1, "stages": ["prod"], "rules": [rule(name=names, gates=[SQL, THRESHOLD])]}
    assert [item for item in check_policy(value) if item.severity == "error"] == []
    bundle = PolicyBundle.of(value, {"gates/latency.sql": text}, "# source")
    again = PolicyBundle.read(bundle.data)
    assert again == bundle
    assert again.digest == canonical.sha256_hex(bundle.data)
    assert canonical.is_canonical(bundle.data)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"files":{},"policy":{},"yaml":""}'])
def test_damaged_bundles_are_an_integrity_error(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        PolicyBundle.read(data)


def test_a_bundle_of_a_newer_regista_is_not_called_damaged() -> None:
    value = {"format": 1, "stages": ["prod"], "rules": [rule(gates=["clairvoyance"])]}
    data = canonical.encode({"files": {}, "policy": value, "yaml": ""})
    with pytest.raises(NewerFormatError):
        PolicyBundle.read(data)
