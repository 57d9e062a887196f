from typing import Any

import pytest

from regista.errors import InvalidInputError
from regista.registry.diffing import difference


def view(version: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "name": "m",
        "version": version,
        "digest": f"d{version}",
        "status": "active",
        "label": None,
        "uri": None,
        "run": None,
        "code": "c1",
        "params": {"lr": "0.1"},
        "tags": {},
        "card": "",
        "card_digest": "",
        "description": "",
        "description_digest": "",
        "lineage": [{"relation": "dataset", "target": "data@1", "digest": "x"}],
        "artifacts": [{"path": "a", "size": 1, "sha256": "s1"}],
        "evals": {},
        **changes,
    }


def evaluated(value: str) -> dict[str, Any]:
    score = {"task": "", "metric": "auc", "value": value}
    return {"holdout": {"main": [score]}}


def test_equal_versions_differ_in_nothing() -> None:
    found = difference(view(), view(2))
    nothing: dict[str, Any] = {"added": {}, "removed": {}, "changed": {}}
    assert found["files"] == found["params"] == found["tags"] == nothing
    assert found["lineage"] == {"added": [], "removed": []}
    assert found["facts"] == {}
    assert found["texts"] == found["scores"] == []
    assert found["same_artifacts"] is False
    assert found["to"] == {"name": "m", "version": 2, "digest": "d2"}


def test_files_are_added_removed_and_changed_by_content() -> None:
    after = [{"path": "a", "size": 2, "sha256": "s2"}, {"path": "b", "size": 1, "sha256": "s1"}]
    found = difference(view(), view(artifacts=after))["files"]
    assert list(found["added"]) == ["b"]
    assert found["changed"]["a"]["to"] == {"sha256": "s2", "size": 2}
    assert difference(view(artifacts=after), view())["files"]["removed"].keys() == {"b"}


def test_parameters_tags_and_facts_tell_both_values() -> None:
    after = view(params={"lr": "0.2", "depth": "3"}, tags={"owner": "x"}, code="c2")
    found = difference(view(), after)
    assert found["params"]["changed"] == {"lr": {"from": "0.1", "to": "0.2"}}
    assert found["params"]["added"] == {"depth": "3"}
    assert found["tags"]["added"] == {"owner": "x"}
    assert found["facts"] == {"code": {"from": "c1", "to": "c2"}}


def test_lineage_is_compared_as_a_set() -> None:
    after = view(lineage=[{"relation": "dataset", "target": "data@2", "digest": "y"}])
    found = difference(view(), after)["lineage"]
    assert found["added"] == [{"relation": "dataset", "target": "data@2"}]
    assert found["removed"] == [{"relation": "dataset", "target": "data@1"}]


def test_scores_are_subtracted_in_decimals() -> None:
    (found,) = difference(view(evals=evaluated("0.9")), view(evals=evaluated("0.895")))["scores"]
    assert found["difference"] == "-0.005"


def test_a_score_that_only_one_has_is_no_difference() -> None:
    (found,) = difference(view(), view(evals=evaluated("0.9")))["scores"]
    assert (found["from"], found["to"], found["difference"]) == (None, "0.9", None)


def test_a_purged_text_is_known_by_its_digest() -> None:
    before = view(card=None, card_digest="x")
    assert difference(before, view(card=None, card_digest="y"))["texts"] == ["card"]
    assert difference(before, view(card=None, card_digest="x"))["texts"] == []


def test_an_entry_is_not_a_version() -> None:
    with pytest.raises(InvalidInputError, match="an entry"):
        difference(view(), {"name": "m"})
