"""The file format as its page tells it: a second reader, which knows the page and no Regista.

`Reader` is written from docs/file-format.md alone. It must find in a registry's files what
Regista finds there; so the page is complete, and stays true.
"""

import hashlib
import itertools
import json
import re
import struct
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import duckdb
import pytest

import regista
from fakes.dear_store import DearStore
from regista.decide.planning import PLANNERS
from regista.registry.core import Registry
from regista.storage.bundling import make_bundles

# one worker runs all of them, and what they stand on is made once
pytestmark = pytest.mark.xdist_group("file_format")
COMMITS = 70
PAGE = Path(__file__).parents[2] / "docs" / "file-format.md"
Slot = tuple[Any, list[Any], list[Any]]


class Reader:
    """Reads a registry from its files: the log, state, tables, a checkpoint, blobs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.id = json.loads((root / "registry.json").read_bytes())["id"]
        self.digests = [self.id]
        self.commits: list[dict[str, Any]] = []
        while (path := self.log_file(len(self.commits) + 1)).exists():
            self._read(path.read_bytes())

    def log_file(self, seq: int) -> Path:
        return self.root / "log" / f"{seq // 1000:06d}" / f"{seq:012d}.json"

    def _read(self, data: bytes) -> None:
        line = data.split(b"\n")[0]
        commit = json.loads(line)
        # no key here is beyond the BMP, so code points sort as UTF-16 units do
        canonical = json.dumps(commit, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        assert canonical.encode() == line
        assert commit["seq"] == len(self.commits) + 1
        assert commit["parent"] == self.digests[-1]
        before = self.commits[-1]["time"] if self.commits else ""
        assert commit["time"] == max(commit["clock"], before)
        self.commits.append(commit)
        self.digests.append(hashlib.sha256(data).hexdigest())

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return a table's inline rows, in order, with their seq and i."""
        return [
            {**row, "seq": commit["seq"], "i": i}
            for commit in self.commits
            for i, row in enumerate(commit["rows"])
            if row["table"] == table
        ]

    def data_rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table that commits carry by digest."""
        found = []
        for commit in self.commits:
            for ref in commit["data"]:
                path = self.root / "data" / ref["table"] / f"{ref['sha256']}.parquet"
                assert hashlib.sha256(path.read_bytes()).hexdigest() == ref["sha256"]
                rows = query("SELECT * FROM read_parquet(?)", str(path))
                assert len(rows) == ref["rows"]
                found += [
                    {**row, **ref["columns"], "seq": commit["seq"], "i": ref["i"] + k}
                    for k, row in enumerate(rows)
                    if ref["table"] == table
                ]
        return found

    def slots(self, entry_id: str) -> dict[str, Slot]:
        """Return holder, stack and barred versions of each stage of an entry."""
        found: dict[str, Slot] = {}
        for row in self.rows("placements"):
            if row["entry_id"] != entry_id:
                continue
            holder, stack, barred = found.get(row["stage"], (None, [], []))
            to = row.get("to_version")
            match row["action"]:
                case "promote" | "imported":
                    stack = [version for version in stack if version != to] + [to]
                    barred = [version for version in barred if version != to]
                case "rollback":
                    keep = stack.index(to) + 1
                    stack, barred = stack[:keep], barred + stack[keep:]
                case "demote":
                    stack = [version for version in stack if version != holder]
            found[row["stage"]] = (to, stack, barred)
        return found

    def cover(self, table: str) -> list[Path]:
        """Return the files of a table that are to be read: the longest."""
        spans = []
        for path in (self.root / "tables" / table).glob("*-*.parquet"):
            first, last = map(int, path.stem.split("-"))
            spans.append((first, -last, path))
        chosen: list[tuple[int, int, Path]] = []
        for span in sorted(spans):
            if not chosen or span[0] > -chosen[-1][1]:
                chosen.append(span)
        return [path for _, _, path in chosen]

    def table(self, table: str) -> list[dict[str, Any]]:
        """Return a table's rows as its files have them, in the log's order."""
        files = [str(path) for path in self.cover(table)]
        return query("SELECT * FROM read_parquet(?) ORDER BY seq, i", files)

    def checkpoint(self) -> tuple[int, list[dict[str, Any]]]:
        """Return number and runs of the newest checkpoint that fits the log."""
        for path in sorted(self.root.glob("checkpoints/*/manifest.json"), reverse=True):
            manifest = json.loads(path.read_bytes())
            if self.digests[manifest["seq"]] == manifest["head"]:
                assert path.parent.name == f"{manifest['seq']:012d}-{manifest['head'][:12]}"
                return manifest["seq"], manifest["runs"]
        raise AssertionError("there is no checkpoint")

    def look_up(self, key: str) -> Any:
        """Return a key's value from the newest checkpoint."""
        for run in self.checkpoint()[1]:
            data = (self.root / run["key"]).read_bytes()
            assert data.startswith(b"regista run 2\n")
            assert data.count(b"\n") == 1 + run["records"]
            hashed = hashlib.blake2b(key.encode(), digest_size=8).digest()
            index = list(struct.iter_unpack("<II", b64decode(run["index"])))
            bucket = int.from_bytes(hashed, "big") >> (64 - (len(index).bit_length() - 1))
            start = 14 + sum(length for length, _crc in index[:bucket])
            length, checksum = index[bucket]
            lines = data[start : start + length]
            assert zlib.crc32(lines) == checksum
            for line in lines.split(b"\n")[:-1]:
                assert may_hold(b64decode(run["filter"]), line.partition(b"\t")[0])
                name, _, value = line.partition(b"\t")
                if name == key.encode():
                    return json.loads(value)
        return None

    def bundle(self, first: int, last: int) -> list[bytes]:
        """Return the log files that a bundle holds, which the page says are to be believed."""
        data = (self.root / f"checkpoints/log/{first:012d}-{last:012d}.jsonl").read_bytes()
        line, _, rest = data.partition(b"\n")
        header = json.loads(line)
        assert (header["format"], header["first"], header["last"]) == (1, first, last)
        files = []
        for size in header["sizes"]:
            files.append(rest[:size])
            rest = rest[size:]
        assert rest == b""
        assert files[-1] == self.log_file(last).read_bytes()
        for before, file in itertools.pairwise(files):
            parent = json.loads(file.split(b"\n")[0])["parent"]
            assert parent == hashlib.sha256(before).hexdigest()
        return files

    def blob(self, digest: str) -> bytes:
        data = (self.root / "blobs" / "sha256" / digest[:2] / digest).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
        return data


def may_hold(filter_: bytes, key: bytes) -> bool:
    """Say whether a run's filter lets a key pass."""
    if not filter_:
        return True
    hashed = hashlib.blake2b(key, digest_size=8).digest()
    first, step = int.from_bytes(hashed[:4], "big"), int.from_bytes(hashed[4:], "big") | 1
    bits = [(first + k * step) % (8 * len(filter_)) for k in range(5)]
    return all(filter_[bit // 8] & 1 << bit % 8 for bit in bits)


def query(sql: str, *values: object) -> list[dict[str, Any]]:
    """Run SQL in a DuckDB of its own; return rows as objects."""
    with duckdb.connect() as connection:
        cursor = connection.execute(sql, values)
        names = [item[0] for item in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def one_of_each_other_operation(reg: Registry, file: Path) -> None:
    """Do once what the main story does not."""
    reg.create("fraud/other", "bundle", description="what for")
    reg.register("fraud/other", file, member=["fraud/card@1"], label="1.0", params={"k": "v"})
    reg.alias("fraud/other@1", "champion")
    reg.remove_alias("fraud/other", "champion")
    reg.describe("fraud/other", "long " * 300)
    reg.tag("fraud/other", {"k": "v"})
    reg.tag("fraud/other", remove=["k"])
    reg.rename("fraud/other", "fraud/renamed")
    reg.demote("fraud/renamed", "dev")
    for change in (reg.deprecate, reg.restore, reg.archive):
        change("fraud/renamed@1", reason="because")
    reg.delete("fraud/renamed@1", purge=True)
    reg.drill("fraud/card", "prod", smoke="true")
    reg.demote("fraud/card", "staging", reason="because")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A registry with all that the page tells of, and enough commits for a merge."""
    folder = tmp_path_factory.mktemp("format")
    reg = regista.init(str(folder / "registry"), actor="ada").registry
    for number in (1, 2, 3):
        (folder / "model.bin").write_text(f"weights {number}")
        reg.register("fraud/card", folder / "model.bin", card="long " * 300)
        sample = {"sample_id": "a", "metric": "auc", "value": "0.5"}
        reg.log_eval(f"fraud/card@{number}", "holdout", {"auc": f"0.9{number}"}, samples=[sample])
        for stage in ("staging", "prod"):
            reg.promote(f"fraud/card@{number}", stage)
    reg.rollback("fraud/card", "prod")
    one_of_each_other_operation(reg, folder / "model.bin")
    while (head := reg.replica.refresh().seq) < COMMITS:
        reg.tag("fraud/card", {"step": str(head)})
    # a folder has no bundles of its own
    make_bundles(DearStore(reg.replica.store), COMMITS)
    return reg


@pytest.fixture(scope="module")
def reader(registry: Registry) -> Reader:
    """Read the same files."""
    return Reader(Path(registry.uri))


def test_the_log_is_read_to_its_head(registry: Registry, reader: Reader) -> None:
    state = registry.replica.refresh()
    assert (len(reader.commits), reader.digests[-1]) == (state.seq, state.digest)


def test_slots_and_stacks_follow_from_placements(registry: Registry, reader: Reader) -> None:
    entry, _other = reader.rows("entries")
    assert entry["entry_id"] == f"e{entry['seq']}-{entry['i']}"
    slots = reader.slots(entry["entry_id"])
    assert slots["prod"] == (2, [1, 2], [3])
    assert slots["staging"] == (None, [1, 2], [])
    shown = registry.show("fraud/card")["stages"]
    assert {stage: slot["version"] for stage, slot in shown.items()} == {
        stage: holder for stage, (holder, _stack, _barred) in slots.items()
    }


@pytest.mark.parametrize("table", ["placements", "versions", "eval_runs", "tags", "verdicts"])
def test_the_covering_files_hold_the_rows_of_the_log(reader: Reader, table: str) -> None:
    mine, stored = reader.rows(table), reader.table(table)
    assert len(mine) == len(stored)
    for row, columns in zip(mine, stored, strict=True):
        said = {name: value for name, value in row.items() if name != "table"}
        assert said == {name: columns[name] for name in said}
        assert all(
            value is None
            for name, value in columns.items()
            if name not in said and name not in {"time", "actor"}
        )


def test_rows_by_digest_are_in_the_table_too(reader: Reader) -> None:
    mine, stored = reader.data_rows("eval_samples"), reader.table("eval_samples")
    assert len(mine) == 3
    for row, columns in zip(mine, stored, strict=True):
        assert row == {name: columns[name] for name in row}


def test_merged_files_take_the_place_of_short_ones(reader: Reader) -> None:
    names = [path.stem for path in reader.cover("commits")]
    assert names[0] == "000000000001-000000000064"
    rows = reader.table("commits")
    assert [row["seq"] for row in rows] == list(range(1, COMMITS + 1))
    assert [row["sha256"] for row in rows] == reader.digests[1:]


def test_a_checkpoint_answers_as_the_log_did(reader: Reader) -> None:
    seq, _runs = reader.checkpoint()
    assert seq == 64
    entry = reader.look_up("n/fraud/card")
    entry_id = entry["entry_id"]
    slot = reader.look_up(f"s/{entry_id}/prod")
    assert (slot["stack"], slot["barred"]) == ([1, 2], [3])
    assert entry["slots"]["prod"]["version"] == 2
    assert reader.look_up(f"e/{entry_id}") == "fraud/card"
    assert reader.look_up("n/nobody") is None


def test_a_bundle_holds_the_log_files_themselves(reader: Reader) -> None:
    files = reader.bundle(1, 64)
    assert files == [reader.log_file(seq).read_bytes() for seq in range(1, 65)]


def test_blobs_manifests_and_policies_are_what_their_digests_say(reader: Reader) -> None:
    for version in reader.rows("versions")[:3]:
        manifest = json.loads(reader.blob(version["digest"]))
        [file] = manifest["files"]
        assert reader.blob(file["sha256"]).startswith(b"weights")
        assert reader.blob(version["card_digest"]).startswith(b"long")
    [policy] = reader.rows("policies")
    assert json.loads(reader.blob(policy["digest"]))["policy"]["format"] == 1


def documented_operations() -> dict[str, tuple[set[str], set[str]]]:
    """Return what the page says of each operation: names of arguments and decided fields."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    _before, _heading, table = PAGE.read_text("utf-8").partition("| op | args | decision |")
    for line in table.partition("\n\n")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = re.findall(r"`([a-z ]+)`", cells[0])
        if len(cells) == 3 and names and set(names) <= set(PLANNERS):
            fields = [set(re.findall(r"[a-z_]+", cell.replace("*or*", ""))) for cell in cells[1:]]
            found |= dict.fromkeys(names, (fields[0], fields[1]))
    return found


def test_the_page_knows_every_operation_and_each_field_that_a_commit_can_have(
    reader: Reader,
) -> None:
    documented = documented_operations()
    assert set(documented) == set(PLANNERS)
    done = set()
    for commit in reader.commits:
        for op in commit["ops"]:
            arguments, decided = documented[op["op"]]
            assert set(op["args"]) <= arguments, op["op"]
            assert set(op["decision"]) <= decided, op["op"]
            assert {key.partition(":")[0] for key in op["reads"]} <= {"blobs", "drill", "payload"}
            done.add(op["op"])
    absent = {"policy apply", "policy approve", "approve", "waive", "import"}
    assert set(PLANNERS) - done == absent
