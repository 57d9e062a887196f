"""Inputs and outputs of examples, read back from the blob that a run kept them in."""

from collections.abc import Sequence

from regista.read import duck
from regista.storage.blobs import blob_key
from regista.storage.store import Store

MEMORY_MB = 500
Texts = tuple[str | None, str | None]
Example = tuple[str, str]


def load_texts(store: Store, digest: str, wanted: Sequence[Example]) -> dict[Example, Texts] | None:
    """Return input and output of examples, by task and sample.

    Args:
        store: where the registry lies.
        digest: digest of the blob.
        wanted: task and sample of each.

    Returns:
        None where the blob is gone, as after a purge.

    Raises:
        IntegrityError: the blob is damaged.
    """
    path = store.local_path(blob_key(digest))
    if path is None:
        return None
    with duck.connect(memory_mb=MEMORY_MB) as con, duck.guarded("read the texts of examples"):
        con.execute("CREATE TABLE wanted (task VARCHAR, sample_id VARCHAR)")
        if wanted:
            con.executemany("INSERT INTO wanted VALUES (?, ?)", [list(item) for item in wanted])
        found = con.execute(
            "SELECT t.task, t.sample_id, t.input, t.output"
            f" FROM {duck.parquet(path)} t SEMI JOIN wanted w USING (task, sample_id)"
        ).fetchall()
    return {(task, sample): (input_, output) for task, sample, input_, output in found}
