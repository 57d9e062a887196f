"""Results on single examples, and the texts that were kept of them."""

from pathlib import Path
from typing import Any

import pytest

from regista.errors import IntegrityError
from regista.registry.core import Registry
from regista.registry.eval_samples import COLUMNS, version_samples
from support.registries import new_registry, register

ROWS: list[dict[str, Any]] = [
    {"sample_id": "a", "metric": "acc", "passed": True, "input": "one?", "output": "1"},
    {"sample_id": "b", "metric": "acc", "passed": False, "input": "two?", "output": "3",
     "slices": {"region": "eu"}, "latency_s": 0.5},
    {"sample_id": "b", "metric": "loss", "value": 0.0, "input": "two?", "output": "3"},
    {"sample_id": "c", "metric": "acc", "passed": True, "task": "t", "input": "key sk-" + "a" * 48},
]  # fmt: skip


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = new_registry(folder=tmp_path)
    register(made, "m", "one")
    register(made, "m", "two")
    made.log_eval("m@1", "s", {"acc": "0.5"}, samples=ROWS, keep_texts=True)
    made.log_eval("m@1", "bare", {"acc": "0.5"}, samples=ROWS)
    made.log_eval("m@1", "none", {"acc": "0.5"})
    return made


def test_results_come_with_their_texts(registry: Registry) -> None:
    found = version_samples(registry, "m@1", suite="s")
    rows = {(row["task"], row["sample_id"], row["metric"]): row for row in found["samples"]}
    assert len(rows) == 4
    assert set(rows["", "b", "acc"]) == set(COLUMNS)
    assert (rows["", "b", "acc"]["input"], rows["", "b", "acc"]["output"]) == ("two?", "3")
    assert rows["", "b", "acc"]["slices"] == {"region": "eu"}
    assert rows["", "b", "acc"]["latency_s"] == 0.5
    assert rows["t", "c", "acc"]["output"] is None
    assert "[redacted]" in rows["t", "c", "acc"]["input"]
    assert found["notes"] == []


def test_they_can_be_narrowed(registry: Registry) -> None:
    failed = version_samples(registry, "m@1", suite="s", failed=True)["samples"]
    assert [(row["sample_id"], row["metric"]) for row in failed] == [("b", "acc"), ("b", "loss")]
    only = version_samples(registry, "m@1", suite="s", metric="loss")["samples"]
    assert [row["metric"] for row in only] == ["loss"]
    each = version_samples(registry, "m@1", limit=1)["samples"]
    assert [row["suite"] for row in each] == ["bare", "s"]
    assert version_samples(registry, "m@2")["samples"] == []
    assert version_samples(registry, "m@1", suite="other")["samples"] == []


def test_without_kept_texts_there_are_none(registry: Registry) -> None:
    found = version_samples(registry, "m@1", suite="bare")
    assert {row["input"] for row in found["samples"]} == {None}
    assert found["notes"] == []


def test_purged_texts_are_not_shown_and_that_is_told(registry: Registry) -> None:
    registry.delete("m@1", purge=True)
    for _ in range(2):
        found = version_samples(registry, "m@1", suite="s")
        assert {row["input"] for row in found["samples"]} == {None}
        assert found["notes"] == ["suite s: the texts of its examples were removed"]
        registry.gc()


def test_damaged_texts_are_told(registry: Registry, tmp_path: Path) -> None:
    ((digest,),) = registry.sql(
        "SELECT texts_digest FROM eval_runs WHERE texts_digest IS NOT NULL"
    ).fetchall()
    (blob,) = tmp_path.glob(f"blobs/**/{digest}")
    blob.chmod(0o644)
    blob.write_bytes(b"PAR1")
    with pytest.raises(IntegrityError):
        version_samples(registry, "m@1", suite="s")
