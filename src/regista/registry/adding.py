"""The operations that bring something in: entries, versions with artifacts, and eval runs.

Each stores what must be there before its commit: artifacts, long texts, rows in bulk.
"""

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from regista.decide.operations.context import Payload, Request
from regista.errors import RegistaError
from regista.model import canonical
from regista.model.manifest import Manifest
from regista.registry import requests, results
from regista.registry.preparing import Preparing

if TYPE_CHECKING:
    from regista.registry.evaluating import Evaluation

AnyPath = str | PathLike[str]
Result = TypeVar("Result", bound=results.Written)
NOTHING: Mapping[str, str] = {}


class Submitting:
    """Prepares, and runs or queues, writing operations."""

    preparing: Preparing

    def submit(self, request: Request, txid: str | None = None) -> results.Written:
        """Run or queue a request and return its result."""
        raise NotImplementedError

    def newest_manifest(self, name: str) -> Manifest | None:
        """Return the manifest of an entry's newest version; None where there is none."""
        raise NotImplementedError

    def not_looked_after(self, error: RegistaError) -> None:
        """Deal with a failure to look after blobs once a version is recorded; raise it here."""
        raise error

    def _do(self, kind: type[Result], request: Request, txid: str | None) -> Result:
        result = self.submit(request, txid)
        if not isinstance(result, kind):
            raise TypeError(f"{request.op} gave {type(result).__name__}")
        return result


class Adding(Submitting):
    """Operations that bring something in, over `submit`."""

    def create(
        self, name: str, kind: str = "model", *, description: str = "", txid: str | None = None
    ) -> results.Created:
        """Make an entry without versions; one of that name and kind is left as it is."""
        text = self.preparing.text("description", description)
        return self._do(results.Created, requests.create(name, kind, text), txid)

    def register(
        self,
        name: str,
        *paths: AnyPath,
        kind: str | None = None,
        uri: str = "",
        label: str | None = None,
        run: str | None = None,
        code: str | None = None,
        dataset: Iterable[str] = (),
        base: Iterable[str] = (),
        member: Iterable[str] = (),
        params: Mapping[str, str] = NOTHING,
        tags: Mapping[str, str] = NOTHING,
        card: str = "",
        source: Mapping[str, str] = NOTHING,
        force_new: bool = False,
        allow_secrets: bool = False,
        txid: str | None = None,
    ) -> results.Registered:
        """Add a version with its artifacts, and its entry when it is the first.

        Artifacts equal to those of an undeleted version are that version, unless `force_new`.

        Args:
            name: the entry.
            paths: files and folders; one folder alone contributes its contents.
            kind: model, prompt, dataset or bundle; model for a new entry.
            uri: where artifacts kept elsewhere lie.
            label: unique name of the version, such as 1.4.2.
            run: identity of the training run.
            code: code revision.
            dataset: versions that it was trained on, `NAME@V`.
            base: versions that it was derived from.
            member: versions that a bundle holds.
            params: parameters.
            tags: tags.
            card: model card, Markdown.
            source: facts such as git branch and CI job.
            force_new: make a new version even of equal artifacts.
            allow_secrets: take parameters, tags and a URI that look like credentials.
            txid: transaction id.

        Raises:
            InvalidInputError: a path is missing, a name or another argument is malformed.
            NotFoundError: a version named by `dataset`, `base` or `member` does not exist.
        """
        files = [Path(path) for path in paths]
        # gc waits while artifacts are stored that no commit names yet
        with self.preparing.holding_blobs():
            before = self.newest_manifest(name)
            manifest, payload = self.preparing.artifacts(files, uri, like=before)
            request = requests.register(
                name,
                manifest,
                kind=kind,
                label=label,
                run=run,
                code=code,
                relations={"dataset": dataset, "base": base, "member": member},
                params=params,
                tags=tags,
                card=self.preparing.text("card", card),
                source=source,
                force_new=force_new,
                payload=payload,
                allow_secrets=allow_secrets,
            )
            result = self._do(results.Registered, request, txid)
        self._store_again_what_gc_took(manifest, files, uri)
        return result

    def _store_again_what_gc_took(self, manifest: Manifest, files: list[Path], uri: str) -> None:
        """Look once more after blobs that were reused: a gc on another machine may have come by."""
        try:
            if not self.preparing.all_stored(manifest):
                self.preparing.artifacts(files, uri)
        except RegistaError as error:
            self.not_looked_after(error)

    def log_eval(
        self,
        ref: str,
        suite: str = "",
        scores: Mapping[str, Any] | Iterable[Mapping[str, Any]] = (),
        *,
        from_file: AnyPath | None = None,
        file_format: str = "auto",
        run: str | None = None,
        field_map: Mapping[str, str] = NOTHING,
        samples: AnyPath | Iterable[Mapping[str, Any]] | None = None,
        keep_texts: bool = False,
        dataset: str = "",
        status: str = "",
        harness: str = "",
        harness_version: str = "",
        code: str = "",
        note: str = "",
        force_new: bool = False,
        txid: str | None = None,
    ) -> results.EvalLogged:
        """Add an eval run of a version.

        A file that was imported for this version and suite before, with all that is said of it,
        is the run that it became then, unless `force_new`.

        Args:
            ref: the version, `NAME@SELECTOR`.
            suite: name of the evaluation suite; may be left out where the file has one.
            scores: metric to value, or objects with metric, value, stderr, n, slice, task and
                direction.
            from_file: a file of an evaluation tool, or of scores.
            file_format: its format, or `auto`, which looks at its content.
            run: which run of a file with several.
            field_map: for rows under other names: our field to theirs.
            samples: per-example results: a JSONL, CSV or Parquet file, or objects with sample_id,
                metric, value and passed; instead of those of the file.
            keep_texts: keep inputs and outputs of examples, without what looks like a credential.
            dataset: dataset evaluated on: `NAME@V` of this registry, or any text. This and what
                follows are the file's where they are left out.
            status: complete, partial or failed; complete where nobody says.
            harness: program that made the scores.
            harness_version: its version.
            code: code revision of the evaluation.
            note: free text.
            force_new: make a new run even of a file that was imported before.
            txid: transaction id.

        Raises:
            InvalidInputError: a file is malformed, a score is not a finite number, or a field is
                malformed; nobody names the suite.
        """
        from regista.registry.evaluating import EvalSource, gather

        if isinstance(scores, Mapping):
            scores = [{"metric": name, "value": value} for name, value in scores.items()]
        path = None if from_file is None else Path(from_file)
        evaluation = gather(
            EvalSource(path, file_format, run, field_map, keep_texts),
            suite=suite,
            scores=scores,
            samples=samples,
            status=status,
            dataset=dataset,
            facts={"harness": harness, "harness_version": harness_version, "code": code,
                   "note": note},
        )  # fmt: skip
        return self.log_evaluation(ref, evaluation, force_new=force_new, txid=txid)

    def log_evaluation(
        self,
        ref: str,
        evaluation: "Evaluation",
        *,
        force_new: bool = False,
        txid: str | None = None,
    ) -> results.EvalLogged:
        """Add an eval run that was gathered before; as `log_eval` does."""
        payload, digest = self.preparing.scores(evaluation.scores)
        texts_digest = ""
        if evaluation.samples is not None:
            sampled = self.preparing.samples(evaluation.samples, keep_texts=evaluation.keep_texts)
            texts_digest = sampled.texts_digest
            digest = canonical.digest([digest, sampled.digest])
            payload = Payload(payload.rows, (*payload.data, *sampled.data))
        request = requests.eval_log(
            ref,
            evaluation.suite,
            status=evaluation.status,
            dataset=evaluation.dataset,
            facts=evaluation.facts,
            source_digest=digest,
            payload=payload,
            evaluated_at=evaluation.evaluated_at,
            texts_digest=texts_digest,
            imported=evaluation.imported,
            force_new=force_new,
        )
        return self._do(results.EvalLogged, request, txid)
