"""Bulk import: many entries and versions, with their past, as one commit."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from regista.registry import results

if TYPE_CHECKING:
    from regista.write.importing import Steps
    from regista.write.transaction import Writer


class Imports:
    """Importing, over a writer."""

    @property
    def writer(self) -> "Writer":
        """Runs transactions."""
        raise NotImplementedError

    def hooked(self, ops: Iterable[str]) -> AbstractContextManager[None]:
        """Do a write in the block, with its hooks."""
        raise NotImplementedError

    def import_bulk(
        self,
        folder: str | PathLike[str],
        *,
        source: str = "",
        txid: str | None = None,
        progress: "Steps | None" = None,
    ) -> results.Imported:
        """Bring in entries that are not here yet, with all that belongs to them.

        Args:
            folder: a folder with `entries.parquet` (entry, kind, description) and
                `versions.parquet` (entry, version, digest, label, files, bytes, uri, run, code,
                params, card, description, source), and as needed `files`, `lineage`, `tags`,
                `aliases`, `placements`, `eval_runs`, `eval_scores` and `eval_samples`. Versions
                of an entry are numbered from 1 without gaps. Artifacts with rows in `files` must
                be in the store; other versions have a URI.
            source: where it all comes from, for the record.
            txid: transaction id.
            progress: told of steps done.

        Raises:
            InvalidInputError: a file, a column or a row is not as it should be; the message says
                which. Nothing is committed then.
            RefusedError: an entry is here already.
        """
        from regista.write.importing import ImportWriter, import_folder

        with self.hooked(("import",)):
            usual = self.writer
            writer = ImportWriter(
                usual.replica,
                usual.actor,
                usual.timeout_s,
                usual.warnings,
                usual.start_asking,
                steps=progress,
            )
            done = import_folder(writer, Path(folder), source=source, txid=txid)
        result = results.result_of(done)
        if not isinstance(result, results.Imported):
            raise TypeError(f"import gave {type(result).__name__}")
        return result
