"""What must be in the store before a commit names it: artifacts, long texts, bulk rows."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.decide.operations.context import Payload
from regista.errors import InvalidInputError
from regista.model import canonical, names
from regista.model.commit import Row
from regista.model.manifest import Manifest
from regista.model.numbers import decimal_text, parse_decimal
from regista.storage.store import Store

if TYPE_CHECKING:
    from regista.write.samples import StoredSamples

INLINE_ROWS = 500
BLOB_LOCK_WAIT_S = 60.0
SCORE_FIELDS = frozenset(
    {"task", "metric", "slice", "value", "stderr", "n", "direction", "higher_is_better"}
)


@dataclass(slots=True)
class Preparing:
    """Puts into the store what requests refer to by digest.

    Attributes:
        store: where to.
        progress: told of bytes stored; see `storage.artifacts`.
    """

    store: Store
    progress: Any = None

    def text(self, field: str, text: str) -> dict[str, str]:
        """Return a text as an argument: itself when short, the digest of a blob when long."""
        from regista.storage.blobs import put_blob_bytes

        if not text:
            return {}
        names.plain_text(text, f"the {field}", names.MAX_TEXT)
        data = text.encode()
        if len(data) <= names.SHORT_TEXT:
            return {field: text}
        return {f"{field}_digest": put_blob_bytes(self.store, data)}

    def artifacts(
        self, paths: Sequence[Path], uri: str, *, like: Manifest | None = None
    ) -> tuple[Manifest, Payload]:
        """Store the files and the manifest; return it with the `files` rows.

        Args:
            paths: files and folders.
            uri: where artifacts kept elsewhere lie.
            like: the version before, whose files are probably stored already.

        Raises:
            InvalidInputError: a path is missing, a symlink, or no regular file.
        """
        from regista.storage.artifacts import collect, store_files
        from regista.storage.local import LocalStore

        if not paths and not uri:
            raise InvalidInputError(
                "there is nothing to register", hint="give a PATH, or --uri for artifacts elsewhere"
            )
        if uri:
            names.plain_text(uri, "a uri", names.MAX_REASON)
        own = Path(self.store.uri) if isinstance(self.store, LocalStore) else None
        files = collect(paths, registry=own)
        likely = {item.size for item in like.files} if like else ()
        manifest = store_files(self.store, files, self.progress, uri=uri, likely_sizes=likely)
        rows = [
            {"path": item.path, "size": item.size, "sha256": item.sha256} for item in manifest.files
        ]
        return manifest, self.bulk("files", rows)

    def holding_blobs(self) -> AbstractContextManager[bool]:
        """Keep `gc` away while artifacts are stored that no commit names yet."""
        return self.store.lock("blobs", timeout_s=BLOB_LOCK_WAIT_S, shared=True)

    def all_stored(self, manifest: Manifest) -> bool:
        """Say whether all blobs of a version are there, by size, its manifest among them."""
        from regista.storage.blobs import blob_key

        if self.store.size(blob_key(manifest.digest)) is None:
            return False
        return all(self.store.size(blob_key(item.sha256)) == item.size for item in manifest.files)

    def bulk(self, table: str, rows: list[Row]) -> Payload:
        """Return rows as a payload: inline when few, else as a data file."""
        if len(rows) <= INLINE_ROWS:
            return Payload({table: rows})
        from regista.write.bulk import write_rows

        return Payload(data=(write_rows(self.store, table, rows),))

    def policy(self, path: str | Path | None) -> str:
        """Store a policy file with every file that it names, or the default; return its digest.

        The name of a starter stands for that policy, as for `policyfile.loading.read_policy`.

        Raises:
            InvalidInputError: the policy has an error; the message says where.
        """
        from regista.policyfile.loading import default_policy, read_policy
        from regista.storage.blobs import put_blob_bytes

        bundle = default_policy() if path is None else read_policy(Path(path))
        return put_blob_bytes(self.store, bundle.data)

    def samples(
        self,
        samples: str | PathLike[str] | Iterable[Mapping[str, Any]],
        *,
        keep_texts: bool = False,
    ) -> "StoredSamples":
        """Store per-example results, and their inputs and outputs where these are kept.

        Raises:
            InvalidInputError: the file is missing or malformed, or a row is.
        """
        from regista.write.samples import store_samples

        return store_samples(self.store, samples, keep_texts=keep_texts)

    def scores(self, scores: Iterable[Mapping[str, Any]]) -> tuple[Payload, str]:
        """Return score rows as a payload, with the digest of the scores as given.

        Scores over all of the data stay inline where they are few, so that heads show them.

        Raises:
            InvalidInputError: a field is unknown, a value is no finite number, or two scores
                have the same task, metric and slice.
        """
        rows = [score_row(score) for score in scores]
        rows.sort(key=_grain)
        for before, after in pairwise(rows):
            if _grain(before) == _grain(after):
                task, metric, slice_ = _grain(after)
                where = "".join(
                    f", {what} {name!r}"
                    for what, name in (("task", task), ("slice", slice_))
                    if name
                )
                raise InvalidInputError(f"metric {metric!r}{where} is given twice")
        digest = canonical.digest(rows)
        whole = [row for row in rows if not row["slice"]]
        if len(rows) <= INLINE_ROWS or len(whole) > INLINE_ROWS:
            return self.bulk("eval_scores", rows), digest
        slices = self.bulk("eval_scores", [row for row in rows if row["slice"]])
        return Payload({"eval_scores": whole, **slices.rows}, slices.data), digest


def score_row(score: Mapping[str, Any]) -> Row:
    """Return a score as an `eval_scores` row of the log, validated.

    Keys: metric, value; optionally task, slice, stderr, n, higher_is_better (a boolean or None)
    or direction (`higher` or `lower`).
    """
    if not isinstance(score, Mapping):
        raise InvalidInputError("a score is not an object", hint='write {"metric": …, "value": …}')
    unknown = set(score) - SCORE_FIELDS
    if unknown:
        raise InvalidInputError(
            f"a score has no field {names.shown(min(map(str, unknown)))}",
            hint=f"known are {', '.join(sorted(SCORE_FIELDS))}",
        )
    metric = score.get("metric")
    if not isinstance(metric, str):
        raise InvalidInputError("a score has no metric", hint='write {"metric": …, "value": …}')
    metric = names.identifier(metric, "a metric")
    row: Row = {
        "task": _part(score, "task"),
        "metric": metric,
        "slice": _part(score, "slice"),
        "value": decimal_text(parse_decimal(score.get("value"), f"metric {metric!r}")),
    }
    if score.get("stderr") is not None:
        row["stderr"] = _stderr(score["stderr"], metric)
    if score.get("n") is not None:
        row["n"] = _count(score["n"], metric)
    direction = _direction(score, metric)
    if direction is not None:
        row["higher_is_better"] = direction
    return row


def _grain(row: Row) -> tuple[str, str, str]:
    return row["task"], row["metric"], row["slice"]


def _part(score: Mapping[str, Any], field: str) -> str:
    value = score.get(field)
    if value is None or value == "":
        return ""
    # a slice may be called 3 in a file, but never {...}
    text = str(value) if isinstance(value, int) else value
    return names.identifier(text, f"a {field}")


def _stderr(value: object, metric: str) -> str:
    number = parse_decimal(value, f"stderr of {metric!r}")
    if number < 0:
        raise InvalidInputError(f"stderr of {metric!r} is negative")
    return decimal_text(number)


def _count(value: object, metric: str) -> int:
    number = parse_decimal(value, f"n of {metric!r}")
    if number != int(number) or not 0 <= number <= canonical.MAX_INT:
        raise InvalidInputError(f"n of {metric!r} is not a count")
    return int(number)


def _direction(score: Mapping[str, Any], metric: str) -> bool | None:
    value = score.get("higher_is_better")
    if value is None and score.get("direction") is not None:
        value = {"higher": True, "lower": False}.get(str(score["direction"]), "?")
    if value is not None and not isinstance(value, bool):
        raise InvalidInputError(
            f"direction of {metric!r} is not known", hint='use "higher" or "lower"'
        )
    return value
