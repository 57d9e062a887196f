"""What a caller and an eval file say of one evaluation, brought together.

What the caller says counts before what the file says. A file's own words are taken as they are,
but for what looks like a credential, which is never kept: files of tools list arguments of models,
and among these are keys.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.evalformats.finding import AUTO, read_run, read_samples
from regista.evalformats.protocol import Choice, ImportedRun
from regista.model.names import MAX_REASON, shown
from regista.model.secrets import all_patterns
from regista.model.times import format_time, parse_time

AnyPath = str | PathLike[str]
Samples = AnyPath | Iterable[Mapping[str, Any]]
COMPLETE = "complete"
REDACTED = "[redacted]"


@dataclass(frozen=True, slots=True)
class EvalSource:
    """A file with an evaluation, and how to read it.

    Attributes:
        path: the file, or a folder where the format is one.
        file_format: a name of a format, or `auto`.
        run: which of several runs.
        field_map: for rows under other names, our field to theirs.
        keep_texts: whether inputs and outputs of examples are kept.
    """

    path: Path | None
    file_format: str = AUTO
    run: str | None = None
    field_map: Mapping[str, str] = field(default_factory=dict)
    keep_texts: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of a version, as it is to be logged.

    Attributes:
        suite: name of the evaluation suite.
        scores: objects with metric, value, and optionally stderr, n, slice, task, direction.
        samples: per-example results, a file or objects; None for none.
        status: complete, partial or failed.
        dataset: dataset evaluated on: `NAME@V` of this registry, or any text.
        facts: harness, harness_version, code and note, as far as they are known.
        evaluated_at: when it was run, as the registry writes times; '' when not said.
        keep_texts: whether inputs and outputs of examples are kept.
        imported: whether it is from a file, so that the same again adds nothing.
    """

    suite: str
    scores: list[Mapping[str, Any]]
    samples: Samples | None = None
    status: str = COMPLETE
    dataset: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    evaluated_at: str = ""
    keep_texts: bool = False
    imported: bool = False


def gather(
    source: EvalSource,
    *,
    suite: str = "",
    scores: Iterable[Mapping[str, Any]] = (),
    samples: Samples | None = None,
    status: str = "",
    dataset: str = "",
    facts: Mapping[str, str],
) -> Evaluation:
    """Bring together what the caller gives and what a file says.

    Args:
        source: the file; scores of the caller's own stand beside those of the file.
        suite: name of the suite; '' for the file's.
        scores: further scores.
        samples: per-example results instead of those that the file has.
        status: complete, partial or failed; '' for the file's.
        dataset: dataset; '' for the file's.
        facts: harness, harness_version, code and note; '' for the file's.

    Raises:
        InvalidInputError: the file is missing or malformed, or nobody names the suite.
    """
    choice = Choice(source.run, source.field_map, source.keep_texts)
    run = ImportedRun([])
    if source.path is not None:
        run = read_run(source.path, source.file_format, choice)
    elif source.run is not None or source.field_map:
        raise InvalidInputError("there is no file to choose from", hint="add --from FILE")
    moment, note = _moment(run.time), _note(run)
    said = {
        "harness": run.harness,
        "harness_version": run.harness_version,
        "code": run.code,
        "note": note,
    }
    return Evaluation(
        _suite(suite or run.suite, source.path),
        [*scores, *run.scores],
        samples=run.samples if samples is None else _samples(samples, choice),
        status=status or run.status,
        # a file's words name no version of ours, which an @ would stand for
        dataset=dataset or run.dataset.replace("@", " at "),
        facts={name: facts.get(name) or text for name, text in said.items()},
        evaluated_at=moment,
        keep_texts=source.keep_texts,
        imported=source.path is not None,
    )


def _suite(suite: str, path: Path | None) -> str:
    if suite:
        return suite
    if path is None:
        raise InvalidInputError("no suite is given", hint="add --suite SUITE")
    raise InvalidInputError(
        f"{shown(path.name, 200)} does not say of which suite it is", hint="add --suite SUITE"
    )


def _samples(samples: Samples, choice: Choice) -> Samples:
    """Return a file's rows where a tool wrote it in its own way; else what was given."""
    if isinstance(samples, (str, PathLike)):
        rows = read_samples(Path(samples), choice)
        return samples if rows is None else rows
    return samples


def _moment(text: str) -> str:
    """Return a time as the registry writes it; '' when the file's words are none."""
    try:
        return format_time(parse_time(text)) if text else ""
    except InvalidInputError:
        return ""


def _note(run: ImportedRun) -> str:
    """Return the file's note without credentials, and with a time that cannot be read as one."""
    when = f"run at {run.time}" if run.time and not _moment(run.time) else ""
    text = "; ".join(filter(None, (run.note, when)))
    return re.sub(all_patterns(), REDACTED, text)[:MAX_REASON]
