"""The hard registry: every kind of fact that a page can be asked to show, often in excess.

It begins with a bulk import and goes on through a year: policies change, promotions are refused
and undecidable, prod is rolled back, a prompt is rewritten, entries are renamed and emptied.
"""

from collections.abc import Callable
from typing import Any

from support.scripted import Contents, Script
from support.site_hard_import import MANY, hard_tables
from support.site_names import BUNDLE, DATASET, MODEL, PROMPT

LAST = 500
FIRST = MANY + 1
CARD = """\
# Fraud detector

Scores each payment. **Not** for refunds.

## Intended use

| country | covered | since |
|---|---|---|
| DE | yes | 2024 |
| 日本 | partly | 2025 |

1. Look at the score.
2. Ask a person above `0.9`.

- [The runbook](https://example.com/runbook)
- `model.predict(x)`

```python
print("hello" < "world")
```
"""
SORT = "You sort questions for {{ company }}."
ANSWER = "Answer with one word: billing, refund, fraud or other."
EXAMPLES = "- I was charged twice -> billing\n- Where is my money -> refund\n"
TRIAGE = (
    "Sort this question into one of: billing, refund, other.\n\n{question}\n",
    f"{SORT}\n\nAnswer with one word: billing, refund or other.\n\nQuestion: {{question}}\n",
    f"{SORT}\nIt is {{{{ date }}}}.\n\n{ANSWER}\n\nSuch as:\n{EXAMPLES}\nQuestion: {{question}}\n",
    f"{SORT}\r\nToday is {{{{ date }}}}.\r\n\r\nQuestion:\t{{question}}   ",
    "Sortiere Fragen für {{ company }}. 質問を分類してください。 صنّف السؤال\n\n{question}\n",
    "One very long line: " + "lorem ipsum dolor sit amet " * 400 + "\n{question}\n",
)


def write_hard(script: Script) -> None:
    """Write the registry."""
    script.load(hard_tables(script.store), "the old tracking server")
    _late_versions(script)
    _tighten(script)
    _champion(script)
    _prompt(script)
    _odd_prompts(script)
    _statuses(script)
    _names_and_texts(script)
    _bundles(script)
    _scores_in_excess(script)
    _again_and_relaxed(script)
    _end(script)


def _late_versions(script: Script) -> None:
    script.on("2025-02-03", "training-bot")
    registry = script.registry
    for start in range(FIRST, LAST + 1, 10):
        with registry.transaction(txid=f"batch-{start}") as tx:
            for version in range(start, start + 10):
                tx.register(
                    MODEL, uri=f"s3://models/fraud/{version}", run=f"train-{version:04d}",
                    code=f"{version:040x}", dataset=[f"{DATASET}@3"], card=CARD,
                    params={"depth": str(version % 9), "rate": "0.05"},
                    tags={"owner": "risk", "license": "apache-2.0"},
                    label=f"2.{version}.0-rc.1" if version % 10 == 0 else None,
                )  # fmt: skip
        with registry.transaction(txid=f"scores-{start}") as tx:
            for version in range(start, start + 10):
                _evaluate(tx.log_eval, f"{MODEL}@{version}", 0.86 + version % 10 / 100)
    for number in range(2):
        script.register(
            MODEL, {"model.bin": f"weights {number}", "conf/config.json": '{"threads": 1}'},
            card=CARD, dataset=[f"{DATASET}@3"], run="train-late", code="c0ffee",
            tags={"owner": "risk", "license": "apache-2.0"},
        )  # fmt: skip
        _evaluate(registry.log_eval, f"{MODEL}@latest", 0.97)


def _evaluate(
    log: Callable[..., Any], ref: str, accuracy: float, *, p95: float = 12.5, **options: Any
) -> None:
    scores: list[dict[str, Any]] = [
        {"metric": "accuracy", "value": f"{accuracy:.4f}", "stderr": "0.004", "n": 5000,
         "direction": "higher"},
        {"metric": "auc", "value": f"{accuracy + 0.02:.4f}", "direction": "higher"},
    ]  # fmt: skip
    for k, slice_ in enumerate(("country=DE", "country=FR", "country=日本", "amount > 1000")):
        value = f"{accuracy - k * 0.01:.4f}"
        scores.append({"metric": "accuracy", "value": value, "slice": slice_, "n": 900 + k})
    log(ref, "holdout", scores, dataset=f"{DATASET}@3", harness="evalkit", **options)
    log(ref, "load", [{"metric": "p95_ms", "value": str(p95), "direction": "lower"}])


def _tighten(script: Script) -> None:
    script.on("2025-02-17", "ann")
    script.policy("second", "an incident: fraud in one country went unseen")
    late = f"{MODEL}@{LAST + 1}"
    script.refuse(f"{MODEL}@{LAST}", "prod", "failed", "undecidable")
    script.promote(late, "staging", reason="looks good on all slices")
    # what is in prod has no slices to compare with
    script.refuse(late, "prod", "undecidable")
    _evaluate(script.registry.log_eval, f"{MODEL}@{MANY - 10}", 0.88)
    script.promote(late, "prod", reason="better everywhere")
    script.on("2025-03-03", "bob")
    script.registry.drill(MODEL, "prod")
    script.promote(f"{MODEL}@{LAST + 2}", "staging")
    script.promote(f"{MODEL}@{LAST + 2}", "canary", reason="five per cent of traffic")
    script.on("2025-03-10")
    # evaluated five weeks ago, which is too long
    script.refuse(f"{MODEL}@{LAST + 2}", "prod", "failed")
    _evaluate(script.registry.log_eval, f"{MODEL}@{LAST + 2}", 0.97, note="again")
    script.promote(f"{MODEL}@{LAST + 2}", "prod")
    script.on("2025-03-14", "on-call")
    script.registry.drill(MODEL, "prod", smoke="test -f model.bin")
    script.registry.rollback(MODEL, "prod", reason="timeouts in the payment queue, see INC-2041")
    script.refuse(f"{MODEL}@{LAST + 2}", "prod", "failed")
    script.on("2025-03-20", "bob")
    script.promote(f"{MODEL}@{LAST + 2}", "prod", again=True, reason="the queue was at fault")
    script.registry.demote(MODEL, "canary", reason="done")


def _champion(script: Script) -> None:
    script.on("2025-04-01", "ann")
    registry = script.registry
    registry.alias(f"{MODEL}@{LAST + 1}", "champion")
    registry.log_eval(f"{MODEL}@470", "holdout", [], status="failed", note="out of memory")
    script.refuse(f"{MODEL}@470", "staging", "undecidable")
    registry.log_eval(f"{MODEL}@471", "holdout", {"accuracy": "0.88"}, status="partial")
    script.refuse(f"{MODEL}@471", "staging", "undecidable")
    _evaluate(registry.log_eval, f"{MODEL}@472", 0.62, p95=55.0)
    script.refuse(f"{MODEL}@472", "staging", "failed")
    registry.alias(f"{MODEL}@472", "champion")


def _prompt(script: Script) -> None:
    script.on("2025-04-14", "carol")
    registry = script.registry
    registry.create(PROMPT, "prompt", description="Sorts what customers ask.")
    for number, text in enumerate(TRIAGE, 1):
        contents = {"prompt.txt": text}
        if number > 2:
            contents["config.json"] = f'{{"model": "any", "temperature": 0.{number}}}\n'
        script.register(PROMPT, contents, kind="prompt", tags={"owner": "support"},
                        label=f"0.{number}")  # fmt: skip
        score = {"faithfulness": f"0.{78 + number}", "refusals": "0.02"}
        registry.log_eval(f"{PROMPT}@{number}", "judge", score, harness="judge", note="50 cases")
    script.refuse(f"{PROMPT}@1", "prod", "failed")
    script.promote(f"{PROMPT}@2", "prod", reason="first one that is good enough")
    script.on("2025-04-21")
    script.promote(f"{PROMPT}@3", "prod")
    registry.alias(f"{PROMPT}@3", "stable")
    registry.alias(f"{PROMPT}@5", "stable")
    script.on("2025-04-28")
    script.promote(f"{PROMPT}@5", "prod", reason="three languages")
    registry.rollback(PROMPT, "prod", to=2, reason="answers in the wrong language")


def _odd_prompts(script: Script) -> None:
    script.on("2025-05-05")
    odd: dict[str, Contents] = {
        "support/odd/empty": {"prompt.txt": ""},
        "support/odd/no line end": {"prompt.md": "Say hello to {name}"},
        "support/odd/many files": {f"part-{k:02d}.txt": f"Part {k}: {{x{k}}}\n" for k in range(30)},
        "support/odd/not text": {"prompt.bin": bytes(range(256))},
        "support/odd/long": {"prompt.txt": "".join(f"Rule {k}: say {k}.\n" for k in range(5000))},
        "support/odd/chat": {"messages.json": '[{"role": "system", "content": "Be {mood}."}]\n'},
    }
    for name, contents in odd.items():
        script.register(name, contents, kind="prompt")
    changed = "".join(f"Rule {k}: say {k + k % 7 // 6}.\n" for k in range(5000))
    script.register("support/odd/long", {"prompt.txt": changed})
    script.register("support/odd/not text", {"prompt.bin": bytes(reversed(range(256)))})


def _statuses(script: Script) -> None:
    script.on("2025-06-02", "ann")
    registry = script.registry
    registry.deprecate(f"{MODEL}@{LAST + 2}", reason="its licence ends in September")
    for version in range(20, 60):
        registry.archive(f"{MODEL}@{version}", reason="older than two years")
    registry.delete(f"{MODEL}@100", reason="trained on data that was to be deleted")
    registry.delete(f"{MODEL}@101", reason="the same", purge=True)
    script.refuse(f"{MODEL}@30", "prod", "failed")
    registry.restore(f"{MODEL}@30", reason="somebody asked for it")
    script.register("emptied/all", {"model.bin": "gone"})
    registry.demote("emptied/all", "dev")
    registry.delete("emptied/all@1", purge=True)


def _names_and_texts(script: Script) -> None:
    script.on("2025-07-01", "dave")
    registry = script.registry
    registry.rename("Fraud", "Fraud renamed")
    registry.rename("Fraud renamed", "archive/Fraud")
    script.register("Fraud", {"model.bin": "another entry under the old name"})
    for name in ("empty/one", "empty/two", "空/箱"):
        registry.create(name, "model")
    registry.create("empty/described", "dataset", description="Nothing yet. " * 300)
    registry.describe(f"{MODEL}@{LAST}", "Best of the **grid search**.")
    registry.tag(MODEL, {"team": "risk", "pager": "risk-oncall", "domain": "payments"})
    registry.tag(f"{MODEL}@{LAST}", {f"key-{k:02d}": f"value {k} " * (k + 1) for k in range(40)})
    registry.tag(f"{MODEL}@{LAST}", {}, remove=["key-00"])
    registry.remove_alias(PROMPT, "stable")
    script.register(
        "params/long", {"model.bin": "x"},
        params={f"param_{k:03d}": ("[" + "0.125, " * (k * 4) + "1]") for k in range(120)},
        tags={"json": '{"a": [1, 2, {"b": null}]}'}, code="f" * 255, run="r" * 255,
        source={"git_branch": "feature/" + "b" * 200, "ci": "github-actions",
                "ci_job_url": "https://example.com/jobs/1"},
    )  # fmt: skip


def _bundles(script: Script) -> None:
    script.on("2025-08-04", "carol")
    members = [f"{MODEL}@{LAST + 1}", f"{PROMPT}@3", f"{DATASET}@2"]
    script.register(BUNDLE, {"bundle.yaml": "all: 3\n"}, member=members)
    script.register(BUNDLE, {"bundle.yaml": "all: 2\n"}, member=members[:2])
    script.promote(f"{BUNDLE}@2", "prod")
    script.promote(f"{BUNDLE}@3", "prod")
    script.registry.drill(BUNDLE, "prod", smoke="echo cannot start; exit 3")
    base = [f"{MODEL}@{LAST}"]
    for number in range(3):
        script.register("payments/distilled", {"model.bin": str(number)}, base=base)
        base = [f"payments/distilled@{number + 1}"]


def _scores_in_excess(script: Script) -> None:
    script.on("2025-09-01", "training-bot")
    script.registry.drill(MODEL, "prod")
    values = ("1e-12", "-0.5", "123456789.125", "1e300", "0", "42", "0.30000000000000004")
    scores: list[dict[str, Any]] = [
        {"metric": f"metric {k}: " + "name " * k, "value": value} for k, value in enumerate(values)
    ]
    scores += [
        {"metric": "accuracy", "value": f"0.{k + 100}", "slice": f"segment={k:03d}", "n": k}
        for k in range(300)
    ]
    scores += [{"metric": "f1", "value": "0.5", "task": f"task/{k}"} for k in range(20)]
    for number in (1, 2):
        script.registry.log_eval(f"payments/distilled@{number}", "excess", scores)
    samples = [
        {"sample_id": f"s{k}", "metric": "accuracy", "value": k % 2, "passed": bool(k % 2)}
        for k in range(200)
    ]
    script.registry.log_eval("payments/distilled@3", "holdout", {"accuracy": "0.5"},
                             samples=samples)  # fmt: skip


def _again_and_relaxed(script: Script) -> None:
    script.on("2025-10-06", "ann")
    script.policy("third", "an outage: slices may lose more for ten days")
    script.register(MODEL, {"model.bin": "weights 3"}, card=CARD, dataset=[f"{DATASET}@3"],
                    run="train-late", code="decaf", tags={"owner": "risk", "license": "mit"},
                    label="3.0.0")  # fmt: skip
    _evaluate(script.registry.log_eval, f"{MODEL}@latest", 0.968)
    script.promote(f"{MODEL}@latest", "staging")
    script.promote(f"{MODEL}@latest", "prod")
    script.on("2025-10-20", "on-call")
    script.registry.rollback(MODEL, "prod", reason="customers in France are refused")
    script.on("2025-11-03", "ann")
    script.policy("fourth", "the outage is over")


def _end(script: Script) -> None:
    script.on("2025-12-01", "bob")
    script.register(MODEL, {"model.bin": "weights 4"}, card="Not yet evaluated.")
    script.refuse(f"{MODEL}@latest", "staging", "undecidable")
    script.register("반려/모델", {"model.bin": "last"}, tags={"owner": "platform"})
