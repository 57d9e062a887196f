"""Tables, checkpoints and bundles of a log that arrived as a whole."""

from regista.model.commit import FIRST_SEQ
from regista.read.replica import Replica, is_bulk
from regista.storage.bundling import make_bundles
from regista.storage.checkpoint import load_latest
from regista.storage.tablefiles import tables_covered_to
from regista.write.bulk_heads import rebuild_checkpoint
from regista.write.following import EVERY, Follower
from regista.write.tipping import write_tip

# more commits than these are folded on disk, as are imports
FOLDED_IN_MEMORY = 10_000


def derive(replica: Replica) -> None:
    """Bring tables, checkpoints, bundles and the tip up to the log's head, in bounded memory.

    Raises:
        IntegrityError: the log needs data files that are missing or damaged.
        StorageError: a file cannot be written.
    """
    _derive_files(replica)
    replica.reload()
    replica.refresh()
    write_tip(replica)


def _derive_files(replica: Replica) -> None:
    store, log = replica.store, replica.log
    head = log.head()
    newest = load_latest(store, log)
    behind = range((newest.seq if newest else 0) + 1, head + 1)
    if len(behind) < EVERY and newest and tables_covered_to(store) >= head:
        return
    # first, since the rest reads the log through them
    make_bundles(store, head)
    replica.log = log = log.over(FIRST_SEQ, head)
    follower = Follower(replica)
    if len(behind) > FOLDED_IN_MEMORY or any(is_bulk(log.read(seq)[0]) for seq in behind):
        follower.compact_tables()
        rebuild_checkpoint(replica)
    else:
        follower.compact()
