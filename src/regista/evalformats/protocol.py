"""What an adapter for a format of eval files is, and what it makes of a file.

An adapter looks at content, never at a file's name. It keeps what the file has and invents nothing:
a standard error that is not there, a direction that the tool does not state, stay unknown. Numbers
stay the text that the file has, so 0.1 stays 0.1. Third parties add adapters by an entry point of
the group `regista.eval_formats`; see `regista.evalformats.finding`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

# the entry point group of adapters by third parties
GROUP = "regista.eval_formats"
# a single JSON or XML document above this is refused; what comes in rows may be of any size
MAX_DOCUMENT = 256 << 20
# how much of a file an adapter may look at to say whether it is its own
PEEK_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Peek:
    """What is known of a file before it is read.

    Attributes:
        path: the file, or a folder.
        head: the first `PEEK_BYTES` of a file; empty for a folder.
        size: bytes of the file; 0 for a folder.
    """

    path: Path
    head: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller says of a file that may hold more than one thing.

    Attributes:
        run: which run of a file or folder with several, by its id or name; None for the only one.
        mapping: for rows under other names: our field to theirs, such as `value` to `score`.
        keep_texts: whether inputs and outputs of examples are kept.
    """

    run: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    keep_texts: bool = False


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """One eval run as a file has it.

    Attributes:
        scores: objects with metric and value (decimal text), and as the file has them stderr, n,
            slice, task, direction (`higher` or `lower`).
        samples: per-example results as they are read, objects with sample_id, metric, value or
            passed, and as the file has them task, slices (a mapping), latency_s, cost_usd,
            tokens_in, tokens_out, input, output; None when the file has none. Read once, in order.
        suite: what the file calls the evaluation; '' when it does not.
        status: complete, partial or failed, as the file says; complete when it does not.
        dataset: dataset as the file names it, with revision where it has one; '' when not.
        harness: program that made the file.
        harness_version: its version; '' when not said.
        code: git revision of the evaluation; '' when not said.
        time: when it was run, RFC 3339; '' when not said.
        note: what else a reader should know, such as examples that failed.
    """

    scores: list[dict[str, Any]]
    samples: Iterator[dict[str, Any]] | None = None
    suite: str = ""
    status: str = "complete"
    dataset: str = ""
    harness: str = ""
    harness_version: str = ""
    code: str = ""
    time: str = ""
    note: str = ""


class EvalFormat(Protocol):
    """One format of eval files.

    Attributes:
        name: what `--format` calls it.
        about: which files it reads, in one sentence.
    """

    name: str
    about: str

    def recognises(self, peek: Peek) -> bool:
        """Say whether a file is of this format, by its content; quick, and never an error."""
        ...

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Read the run of a file.

        Raises:
            InvalidInputError: it is not of this format, is broken, truncated or too large, a
                number in it is not finite, or it holds several runs and none is chosen; one
                line that says where and what to do.
        """
        ...
