"""The whole job on real input: train, register, evaluate, be refused, promote, drill, roll back.

`make demo` runs this. Training is Python (`digits.py`); everything that concerns the registry is
a command of `regista`, printed before its output, so that what you see is what you can type.
Who is refused and who ends up in production is the same on every run; times and ids are real.
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from terminal import Shell, chapter, near

HERE = Path(__file__).parent
ROOT = HERE.parent
REFUSED = 3
MODEL = "digits/classifier"
PROMPT = "digits/explain"

FIRST_PROMPT = "Which digit do you see in this image?\n"
SECOND_PROMPT = """\
You see an image of 8 by 8 pixels that shows one handwritten digit.
Answer with the digit alone. If you are not sure, answer with a question mark.
"""
LEADERBOARD = """
    SELECT rank, version, value AS accuracy, stderr, stages
    FROM leaderboard
    WHERE entry = 'digits/classifier' AND metric = 'accuracy'
    ORDER BY rank"""
EIGHTS = """
    SELECT version, value AS accuracy_on_eights
    FROM latest_scores
    WHERE entry = 'digits/classifier' AND slice = 'digit=8'
    ORDER BY version"""


class Demo:
    """The story, part by part."""

    def __init__(self, shell: Shell) -> None:
        # imported late: it takes a second, and --help should not
        import digits

        self.shell = shell
        self.run = shell.regista
        self.data = digits.Digits()
        self.train = digits.train
        self.candidates = {candidate.slug: candidate for candidate in digits.CANDIDATES}

    def begin(self) -> None:
        """A registry, its policy, and the data."""
        chapter(
            "1  A registry is a folder",
            "There is no server. The policy says what a version must show before it may enter"
            " a stage; it becomes part of the history.",
        )
        shutil.copy(HERE / "policy.yaml", self.shell.folder)
        self.run("init", "--policy", "policy.yaml")
        chapter(
            "2  Data is an entry too",
            "So a model can say which version of the data it was trained and evaluated on.",
        )
        self.data.write(self.shell.folder / "data")
        (self.shell.folder / "DATA_CARD.md").write_text(self.data.card(), encoding="utf-8")
        self.run(
            "register",
            "digits",
            "data",
            "--kind",
            "dataset",
            "--card",
            "DATA_CARD.md",
            "--tag",
            "license=cc-by-4.0",
        )

    def register(self, slug: str, *options: str) -> None:
        """Train a candidate and register what the training left."""
        candidate = self.candidates[slug]
        folder = f"models/{slug}"
        started = time.monotonic()
        accuracy = self.train(candidate, self.data, self.shell.folder / folder)
        print(
            f"\n[trained in {time.monotonic() - started:.1f} s: {accuracy:.1%} accurate on the"
            " holdout]",
            flush=True,
        )
        params = [
            word
            for key, value in candidate.params.items()
            for word in ("--param", f"{key}={value}")
        ]
        self.run(
            "register",
            MODEL,
            f"{folder}/model",
            "--card",
            f"{folder}/model/MODEL_CARD.md",
            "--dataset",
            "digits@1",
            *params,
            "--tag",
            "owner=vision",
            *options,
        )

    def evaluate(self, slug: str, version: int) -> None:
        """Log the scores of a candidate, in all and by digit, with every single answer."""
        self.run(
            "eval",
            "log",
            f"{MODEL}@{version}",
            "--suite",
            "holdout",
            "--dataset",
            "digits@1",
            "--from",
            f"models/{slug}/scores.json",
            "--samples",
            f"models/{slug}/samples.jsonl",
        )

    def promote(self, version: int, stage: str, expect: int = 0) -> None:
        """Ask for a stage."""
        self.run("promote", f"{MODEL}@{version}", "--to", stage, expect=expect)

    def first_models(self) -> None:
        """A model without evidence, then with; a better one takes its place."""
        chapter(
            "3  No evidence, no stage",
            "A decision tree is registered, and somebody asks for staging at once. A gate that"
            " has nothing to look at does not pass.",
        )
        self.register("tree")
        self.promote(1, "staging", expect=REFUSED)
        print("\nWith scores, overall and for each digit, it goes all the way.")
        self.evaluate("tree", 1)
        self.promote(1, "staging")
        self.promote(1, "prod")
        chapter(
            "4  A better model replaces it",
            "Logistic regression. The gates compare it with what is in prod.",
        )
        self.register("logistic", "--label", "1.0.0")
        self.evaluate("logistic", 2)
        self.promote(2, "staging")
        self.promote(2, "prod")
        print("\nWhat is in prod? One number, for scripts:")
        self.run("resolve", f"{MODEL}@prod")

    def rehearse(self) -> None:
        """A drill."""
        chapter(
            "5  Would a rollback work today?",
            "A drill does all of a rollback but the move: it fetches the version that would come"
            " back, checks every digest, and runs a smoke test on it. Our policy wants one"
            " before anything else may enter prod.",
        )
        self.run("drill", MODEL, "--stage", "prod", "--smoke", "python smoke.py")

    def refusals(self) -> None:
        """Two models that must not get in."""
        chapter(
            "6  A worse model is refused",
            "Somebody regularised far too hard. It is good enough for staging, and worse than"
            " what is in prod.",
        )
        self.register("flat")
        self.evaluate("flat", 3)
        self.promote(3, "staging")
        self.promote(3, "prod", expect=REFUSED)
        chapter(
            "7  An average hides a loss",
            "A support vector machine is better on the whole. But its training data had lost"
            " most of the eights, and it shows in one slice.",
        )
        self.register("svm-lost")
        self.evaluate("svm-lost", 4)
        self.promote(4, "staging")
        self.promote(4, "prod", expect=REFUSED)

    def success(self) -> None:
        """The model that gets in."""
        chapter(
            "8  With the eights back, it passes",
            "The same model on the whole data. `check` asks without moving anything.",
        )
        self.register("svm", "--label", "2.0.0")
        self.evaluate("svm", 5)
        self.promote(5, "staging")
        self.run("check", f"{MODEL}@5", "--to", "prod")
        self.promote(5, "prod")
        self.run("alias", f"{MODEL}@5", "champion")

    def go_back(self) -> None:
        """A rollback."""
        chapter(
            "9  Friday, 18:55: go back",
            "The new model misbehaves in a way that no suite had looked for. A rollback needs no"
            " gate and asks no question.",
        )
        self.run(
            "rollback",
            MODEL,
            "--stage",
            "prod",
            "--reason",
            "misreads sevens with a bar",
            "--actor",
            "on-call",
        )
        self.run("resolve", f"{MODEL}@prod")
        print("\nIt does not come back by accident:")
        self.promote(5, "prod", expect=REFUSED)

    def prompts(self) -> None:
        """A prompt is versioned in the same way."""
        chapter("10  Prompts are versions too", "A text file is an artifact like any other.")
        folder = self.shell.folder / "prompts"
        folder.mkdir()
        for text in (FIRST_PROMPT, SECOND_PROMPT):
            (folder / "explain.txt").write_text(text, encoding="utf-8")
            self.run(
                "register",
                PROMPT,
                "prompts/explain.txt",
                "--kind",
                "prompt",
                "--tag",
                "owner=vision",
            )
        self.run("diff", f"{PROMPT}@1", f"{PROMPT}@2")
        self.run("promote", f"{PROMPT}@2", "--to", "prod")

    def look_back(self) -> None:
        """Everything that happened is on record, and can be checked."""
        chapter("11  What happened, and when", "Every decision is on record, refusals included.")
        self.run("history", MODEL, "--limit", "12")
        print("\nWhat was in prod before the rollback? Ask as of then:")
        self.run("resolve", f"{MODEL}@prod", "--as-of", self.shell.seq_of(f"{MODEL}@champion"))
        self.run("list")
        chapter(
            "12  Ask in SQL",
            "The tables are Parquet files. `regista sql` brings DuckDB; any other engine reads"
            " them too.",
        )
        self.run("sql", LEADERBOARD)
        self.run("sql", EIGHTS)
        chapter(
            "13  Trust nothing",
            "`verify` reads the files alone: it follows the chain of commits, plays back every"
            " decision, compares the tables with the log and hashes every artifact again.",
        )
        self.run("verify", "--deep")

    def show_all(self) -> None:
        """The registry as a site."""
        chapter(
            "14  Show it to everybody",
            "Pages that need no server: what is in prod, why, and how to go back. Open the first"
            " in a browser, from the folder as it is.",
        )
        self.run("site", "build", "--out", "site", "--verify")


def finish(shell: Shell, started: float) -> None:
    """Say what to try next."""
    registry = near(shell.registry)
    chapter(
        "Now you",
        f"{shell.commands} commands in {time.monotonic() - started:.0f} s. The registry is the"
        f" folder {registry}; look into it. To try next:",
    )
    print()
    program = Path(sys.executable).parent / "regista"
    found = shutil.which("regista")
    if not (found and program.exists() and program.samefile(found)):
        print(f"  alias regista={near(program)}")
    print(f"  export REGISTA_REGISTRY={registry}")
    for line in (
        f"regista show {MODEL}",
        f"regista show {MODEL}@prod",
        f"regista diff {MODEL}@2 {MODEL}@5",
        f"regista eval compare {MODEL}@prod {MODEL}@latest",
        f"regista get {MODEL}@prod model",
        "regista tables",
        "regista site serve --out demo/site",
        f'regista promote {MODEL}@5 --to prod --again --reason "bars are fine"',
    ):
        print(f"  {line}")
    print(f"\nThe site: {shell.folder / 'site' / 'index.html'}")
    print("\nAnd make an old score look better, to see what happens:\n")
    seq = shell.seq_of(f"{MODEL}@2")
    file = f"{registry}/log/000000/{int(seq) + 1:012d}.json"
    print(f"  perl -pi -e s/0.9483/0.9983/ {file}\n  regista verify")


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--work",
        type=Path,
        default=ROOT / "demo",
        help="folder to work in; demo/ by default, which is emptied first",
    )
    parser.add_argument(
        "--registry", type=Path, help="where the registry goes; into the work folder by default"
    )
    options = parser.parse_args()
    work = options.work.resolve()
    registry = (options.registry or work / "registry_data").resolve()
    if work == ROOT / "demo":
        shutil.rmtree(work, ignore_errors=True)
    for folder in (work, registry):
        if folder.exists() and any(folder.iterdir()):
            parser.error(f"{folder} is not empty")
    work.mkdir(parents=True, exist_ok=True)
    # one thread each is faster for models this small, and gives the same answers everywhere
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    started = time.monotonic()
    demo = Demo(Shell(work, registry))
    for part in (
        demo.begin,
        demo.first_models,
        demo.rehearse,
        demo.refusals,
        demo.success,
        demo.go_back,
        demo.prompts,
        demo.look_back,
        demo.show_all,
    ):
        part()
    finish(demo.shell, started)


if __name__ == "__main__":
    main()
