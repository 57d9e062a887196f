"""The training part of the demo: real classifiers on scikit-learn's bundled digits.

Nothing here knows Regista. A folder per model comes out, as any training job would leave it:
the model, a metrics file, a model card, and a smoke test that reads one digit with the model;
beside it, scores and per-example results in the format that `regista eval log` takes. Seeds are
fixed and the candidates lie far apart, so who is better is the same on every machine.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

HOLDOUT = 600
SEED = 7

SMOKE = '''\
"""Smoke test: does the model in this folder load, and does it read a plain zero?"""

import joblib

ZERO = [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0, 0, 3, 15, 2, 0, 11, 8, 0, 0, 4, 12,
        0, 0, 8, 8, 0, 0, 5, 8, 0, 0, 9, 8, 0, 0, 4, 11, 0, 1, 12, 7, 0, 0, 2, 14, 5, 10, 12, 0,
        0, 0, 0, 6, 13, 10, 0, 0, 0]

answer = int(joblib.load("model.joblib").predict([ZERO])[0])
print("read", answer)
raise SystemExit(answer != 0)
'''


@dataclass(frozen=True, slots=True)
class Candidate:
    """A classifier that somebody wants in production.

    Attributes:
        slug: name of its folder.
        title: what it is, for the model card.
        params: what it is registered with.
        build: makes the untrained classifier.
        lost: (digit, share) of training images that a broken export lost; None for none.
    """

    slug: str
    title: str
    params: dict[str, str]
    build: Callable[[], Any]
    lost: tuple[int, float] | None = None


CANDIDATES = (
    Candidate(
        "tree",
        "Decision tree",
        {"algorithm": "tree", "criterion": "gini"},
        lambda: DecisionTreeClassifier(random_state=SEED),
    ),
    Candidate(
        "logistic",
        "Logistic regression",
        {"algorithm": "logistic", "C": "0.1"},
        lambda: make_pipeline(MinMaxScaler(), LogisticRegression(C=0.1, max_iter=500)),
    ),
    Candidate(
        "flat",
        "Logistic regression, regularised far too hard",
        {"algorithm": "logistic", "C": "0.01"},
        lambda: make_pipeline(MinMaxScaler(), LogisticRegression(C=0.01, max_iter=500)),
    ),
    Candidate(
        "svm-lost",
        "Support vector machine, trained on an export that lost most of the eights",
        {"algorithm": "svm", "C": "10"},
        lambda: make_pipeline(MinMaxScaler(), SVC(C=10)),
        lost=(8, 0.87),
    ),
    Candidate(
        "svm",
        "Support vector machine",
        {"algorithm": "svm", "C": "10"},
        lambda: make_pipeline(MinMaxScaler(), SVC(C=10)),
    ),
)


class Digits:
    """1,797 images of handwritten digits, 8 by 8 pixels, split into training and holdout."""

    def __init__(self) -> None:
        self.images, self.labels = load_digits(return_X_y=True)
        rows = np.arange(len(self.labels))
        self.train, self.holdout = train_test_split(
            rows, test_size=HOLDOUT, random_state=SEED, stratify=self.labels
        )

    def write(self, folder: Path) -> None:
        """Write the data as one CSV file: split, label, and the 64 pixels of each image."""
        folder.mkdir(parents=True)
        held = set(self.holdout.tolist())
        with (folder / "digits.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["split", "label", *(f"p{i}" for i in range(64))])
            for i, (image, label) in enumerate(zip(self.images, self.labels, strict=True)):
                split = "holdout" if i in held else "train"
                writer.writerow([split, int(label), *map(int, image)])

    def card(self) -> str:
        """Return the data card."""
        return (
            "# Digits\n\n"
            f"{len(self.labels):,} images of handwritten digits, 8 by 8 pixels with 17 grey"
            " levels.\n\n"
            f"- Training: {len(self.train):,} images. Holdout: {len(self.holdout)}, stratified by"
            f" digit, split with seed {SEED}.\n"
            "- Origin: the test part of the UCI data set “Optical Recognition of Handwritten"
            " Digits”, as bundled with scikit-learn.\n"
        )


def train(candidate: Candidate, digits: Digits, folder: Path) -> float:
    """Train a candidate, write all that it leaves into a folder; return its accuracy."""
    rows = _training_rows(candidate, digits)
    model = candidate.build().fit(digits.images[rows], digits.labels[rows])
    truth = digits.labels[digits.holdout]
    guesses = model.predict(digits.images[digits.holdout])
    scores = list(_scores(truth, guesses))
    files = folder / "model"
    files.mkdir(parents=True)
    joblib.dump(model, files / "model.joblib", compress=3)
    overall = {score["metric"]: score["value"] for score in scores if "slice" not in score}
    _write_json(files / "metrics.json", overall)
    (files / "smoke.py").write_text(SMOKE, encoding="utf-8")
    card = _card(candidate, len(rows), scores)
    (files / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    _write_json(folder / "scores.json", scores)
    _write_samples(folder / "samples.jsonl", digits, truth, guesses)
    return float(overall["accuracy"])


def _training_rows(candidate: Candidate, digits: Digits) -> np.ndarray:
    if candidate.lost is None:
        return digits.train
    digit, share = candidate.lost
    kept = np.random.default_rng(SEED).random(len(digits.train)) >= share
    return digits.train[(digits.labels[digits.train] != digit) | kept]


def _scores(truth: np.ndarray, guesses: np.ndarray) -> Iterator[dict[str, Any]]:
    """Give accuracy in all and for each digit, with its standard error, and macro F1."""
    right = truth == guesses
    yield _accuracy(right)
    for digit in range(10):
        yield {**_accuracy(right[truth == digit]), "slice": f"digit={digit}"}
    f1 = round(float(f1_score(truth, guesses, average="macro")), 4)
    yield {"metric": "macro_f1", "value": f1, "n": len(truth), "direction": "higher"}


def _accuracy(right: np.ndarray) -> dict[str, Any]:
    count, share = len(right), float(right.mean())
    return {
        "metric": "accuracy",
        "value": round(share, 4),
        "stderr": round(math.sqrt(share * (1 - share) / count), 4),
        "n": count,
        "direction": "higher",
    }


def _card(candidate: Candidate, images: int, scores: Sequence[dict[str, Any]]) -> str:
    rows = "".join(
        f"| {score['slice'].removeprefix('digit=')} | {score['value']:.3f} | {score['n']} |\n"
        for score in scores
        if "slice" in score
    )
    accuracy = scores[0]
    return (
        f"# {candidate.title}\n\n"
        "Reads one handwritten digit from an image of 8 by 8 pixels.\n\n"
        f"- Trained on {images:,} images of `digits`.\n"
        f"- Accuracy on the holdout: {accuracy['value']:.3f} ± {accuracy['stderr']:.3f}.\n"
        "- Not for cheques, forms or any other handwriting than this data's.\n\n"
        f"| digit | accuracy | images |\n|---|---|---|\n{rows}"
    )


def _write_samples(path: Path, digits: Digits, truth: np.ndarray, guesses: np.ndarray) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row, is_, said in zip(digits.holdout, truth, guesses, strict=True):
            right = bool(is_ == said)
            sample = {
                "sample_id": f"digit-{row:04d}",
                "metric": "accuracy",
                "value": int(right),
                "passed": right,
            }
            file.write(json.dumps(sample) + "\n")


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
