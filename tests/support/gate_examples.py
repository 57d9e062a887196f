"""Each gate kind in each status that it has: the story of a small registry for every one.

`docs/gates.md` shows what `check` says in them, and tests replay them. In a story's registry an
entry is named after the status that its version is to get; the waived one fails first.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from regista.model.times import format_time, parse_time
from regista.registry.results import Decided
from support.scripted import Script, scripted

PASSED, FAILED, UNDECIDABLE, WAIVED = "passed", "failed", "undecidable", "waived"
FOLDER = "card"
AUTHOR, COLLEAGUE, APPROVER = "ann", "bob", "rita"
OPEN = "format: 1\nstages: [dev, staging, prod]\non_register: dev\ngroups:\n  risk: [rita, rob]\n"
GATED = "rules:\n  - stage: prod\n    waivable: {by: [risk], max: 30d}\n    gates:\n"

Act = Callable[[Script, str], object]


def _nothing(_script: Script, _name: str) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Story:
    """One kind of gate.

    Attributes:
        kind: the kind.
        says: what a rule of the policy says.
        acts: by status, what happens to the version `card/STATUS@latest` before it is judged.
        before: what happens to its entry while nothing guards prod yet.
        rule: whether it is a rule of state and no gate, so that nobody can waive it.
    """

    kind: str
    says: str
    acts: Mapping[str, Act]
    before: Act = _nothing
    rule: bool = False

    @property
    def policy(self) -> str:
        """The policy that guards prod."""
        if self.rule:
            return f"{OPEN}rules:\n  - stage: prod\n    {self.says}\n"
        return f"{OPEN}{GATED}      - {self.says}\n"

    @property
    def statuses(self) -> list[str]:
        """The statuses that it can have."""
        return [*self.acts, *([] if self.rule else [WAIVED])]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one version of a story.

    Attributes:
        status: the status that its gate is to have.
        ref: the version.
        checked: what `check` said.
        promoted: what `promote` said, which is on record.
    """

    status: str
    ref: str
    checked: Decided
    promoted: Decided


@contextmanager
def told(story: Story, root: Path) -> Iterator[tuple[Script, list[Told]]]:
    """Make the registry of a story in a folder; give it with what became of each version."""
    with scripted(root / "registry", "first") as script:
        script.registry.apply_policy(_file(root, f"{OPEN}rules: []\n"))
        for status in story.statuses:
            story.before(script, f"{FOLDER}/{status}")
        script.registry.apply_policy(_file(root, story.policy))
        yield script, [_tell(script, story, status) for status in story.statuses]


def _tell(script: Script, story: Story, status: str) -> Told:
    name = f"{FOLDER}/{status}"
    story.acts[FAILED if status == WAIVED else status](script, name)
    ref = f"{name}@{script.registry.resolve(f'{name}@latest').version}"
    if status == WAIVED:
        _waive(script, ref)
    checked = script.registry.check(ref, "prod")
    return Told(status, ref, checked, script.registry.promote(ref, "prod"))


def _file(root: Path, text: str) -> Path:
    path = root / "policy.yaml"
    path.write_text(text, "utf-8")
    return path


def _waive(script: Script, ref: str) -> None:
    (gate,) = [item["id"] for item in script.registry.check(ref, "prod").gates]
    until = format_time(parse_time(script.time()).replace(minute=0) + timedelta(days=7))
    by(script, APPROVER)
    script.registry.waive(gate, ref, "prod", reason="incident 7", until=until)
    by(script, AUTHOR)


def by(script: Script, actor: str) -> None:
    """Let somebody else write from now on."""
    script.registry.writer.actor = actor


def version(script: Script, name: str, **options: Any) -> str:
    """Register the next version; return its reference."""
    count = len(script.registry.sql("FROM versions").fetchall())
    made = script.register(name, {"model.bin": f"weights {count}"}, **options)
    return f"{name}@{made.version}"


def evaluated(
    script: Script, name: str, value: str = "0.95", metric: str = "auc", **options: Any
) -> None:
    """Register a version and log a run of it."""
    ref = version(script, name)
    logged(script, ref, value, metric, **options)


def logged(
    script: Script, ref: str, value: str = "0.95", metric: str = "auc", **options: Any
) -> None:
    """Log a run of a version."""
    suite = options.pop("suite", "holdout")
    dataset = options.pop("dataset", "cards 2025-01")
    score = {"metric": metric, "value": value, "n": 200, "direction": "higher"}
    script.registry.log_eval(ref, suite, [score], dataset=dataset, **options)


def examples(right: range) -> list[dict[str, Any]]:
    """Return results of 200 examples, of which a range is right."""
    return [
        {"sample_id": f"{k:03d}", "metric": "acc", "value": int(k in right)} for k in range(200)
    ]


def answered(right: range) -> Act:
    """Return the act that registers a version which is right in a range of the examples."""

    def act(script: Script, name: str) -> None:
        share = f"{len(right) / 200}"
        evaluated(script, name, share, "acc", samples=examples(right))

    return act


def incumbent(script: Script, name: str) -> None:
    answered(range(160))(script, name)
    script.registry.promote(f"{name}@1", "prod")


def evaluated_long_ago(script: Script, name: str) -> None:
    evaluated(script, name)
    script.wait(10)


def evaluated_by_a_colleague(script: Script, name: str) -> None:
    ref = version(script, name)
    by(script, COLLEAGUE)
    logged(script, ref)
    by(script, AUTHOR)


def evaluated_thrice(script: Script, name: str) -> None:
    for _ in range(3):
        evaluated(script, name)


def staged(script: Script, name: str) -> None:
    script.registry.promote(version(script, name), "staging")


def staged_for_days(script: Script, name: str) -> None:
    staged(script, name)
    script.wait(2)


def two_in_prod(script: Script, name: str) -> None:
    for _ in range(2):
        script.registry.promote(version(script, name), "prod")


def drilled(script: Script, name: str) -> None:
    version(script, name)
    script.registry.drill(name, "prod")


def drilled_long_ago(script: Script, name: str) -> None:
    drilled(script, name)
    script.wait(40)


def lost(script: Script, name: str) -> None:
    version(script, name)
    (row,) = script.registry.sql(
        f"SELECT sha256 FROM files WHERE entry = '{name}' ORDER BY version DESC LIMIT 1"
    ).fetchall()
    script.store.delete(f"blobs/sha256/{row[0][:2]}/{row[0]}")


def kept_elsewhere(script: Script, name: str) -> None:
    script.registry.register(name, uri="s3://models/card.bin")


def approved(script: Script, name: str) -> None:
    ref = version(script, name)
    by(script, APPROVER)
    script.registry.approve(ref, "prod")
    by(script, AUTHOR)


def timed(value: str) -> Act:
    return lambda script, name: evaluated(script, name, value, "p95_ms", suite="load")


QUERY = """\
{id: latency, query: "SELECT max(value) <= 20 AS passed, max(value) AS observed, \
'<= 20 ms' AS required FROM latest_scores WHERE version = $version AND metric = 'p95_ms'"}"""

STORIES = (
    Story(
        "threshold",
        "threshold: {suite: holdout, metric: auc, min: 0.92}",
        {
            PASSED: lambda script, name: evaluated(script, name, "0.95"),
            FAILED: lambda script, name: evaluated(script, name, "0.90"),
            UNDECIDABLE: lambda script, name: evaluated(script, name, status="partial"),
        },
    ),
    Story(
        "baseline",
        "baseline: {suite: holdout, metric: acc, test: mcnemar, max_regression: 0.02}",
        {
            PASSED: answered(range(166)),
            FAILED: answered(range(150)),
            UNDECIDABLE: answered(range(8, 166)),
        },
        incumbent,
    ),
    Story(
        "freshness",
        "freshness: {suite: holdout, max_age: 7d}",
        {PASSED: evaluated, FAILED: evaluated_long_ago, UNDECIDABLE: version},
    ),
    Story(
        "evaluator",
        "evaluator: {suite: holdout, not_author: true}",
        {PASSED: evaluated_by_a_colleague, FAILED: evaluated, UNDECIDABLE: version},
    ),
    Story(
        "overuse",
        "overuse: {suite: holdout, max_evaluations: 2}",
        {
            PASSED: evaluated,
            FAILED: evaluated_thrice,
            UNDECIDABLE: lambda script, name: evaluated(script, name, dataset=""),
        },
    ),
    Story(
        "coverage",
        "coverage: {suites: [holdout], metrics: [auc]}",
        {
            PASSED: evaluated,
            FAILED: lambda script, name: evaluated(script, name, metric="acc"),
            UNDECIDABLE: version,
        },
    ),
    Story("soak", "soak: {stage: staging, min: 24h}", {PASSED: staged_for_days, FAILED: staged}),
    Story(
        "drill",
        "drill: {max_age: 30d}",
        {PASSED: drilled, FAILED: drilled_long_ago, UNDECIDABLE: version},
        two_in_prod,
    ),
    Story(
        "lineage",
        "lineage: {require: [code, run]}",
        {
            PASSED: lambda script, name: version(script, name, code="3f2c1a9", run="train-41"),
            FAILED: lambda script, name: version(script, name, code="3f2c1a9"),
        },
    ),
    Story("integrity", "integrity", {PASSED: version, FAILED: lost, UNDECIDABLE: kept_elsewhere}),
    Story(
        "metadata",
        "metadata: {tags: [owner], card: true}",
        {
            PASSED: lambda script, name: version(
                script, name, tags={"owner": "ann"}, card="# Card fraud"
            ),
            FAILED: lambda script, name: version(script, name, tags={"owner": "ann"}),
        },
    ),
    Story(
        "approvals",
        "approvals: {count: 1, from: [risk], not_author: true}",
        {PASSED: approved, FAILED: version},
    ),
    Story("sql", f"sql: {QUERY}", {PASSED: timed("18"), FAILED: timed("25"), UNDECIDABLE: version}),
    Story("from", "from: staging", {PASSED: staged, FAILED: version}, rule=True),
)
