"""Writing the tip, where a store's questions take time."""

from regista.read.recalling import what_is_known
from regista.read.replica import Replica
from regista.storage.several import is_dear
from regista.storage.tip import TIP_KEY, Tip


def write_tip(replica: Replica) -> None:
    """Tell those who come after what is known at the commit that was read or written last.

    Raises:
        StorageError: it could not be written; it is a hint, and an older one does no harm.
    """
    known = what_is_known(replica) if is_dear(replica.store) else None
    if known and replica.pinned:
        replica.store.put(TIP_KEY, Tip(replica.pinned.seq, known).to_bytes())
