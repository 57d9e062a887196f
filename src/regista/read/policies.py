"""Stored policies, as far as reading commands need them; the gates are not loaded."""

from regista.errors import IntegrityError, InvalidInputError
from regista.model import canonical
from regista.storage.blobs import kept_blob
from regista.storage.store import Store


def stage_order(store: Store, digest: str) -> list[str]:
    """Return the stages of a stored policy in its order; none where it cannot be read."""
    try:
        data = kept_blob(store, digest) if digest else None
        policy = canonical.decode(data)["policy"] if data else {}
        return [*policy.get("stages", ()), *policy.get("side_stages", ())]
    except (IntegrityError, InvalidInputError, KeyError, TypeError):
        # an order is no reason to fail a question; verify reports a damaged policy
        return []
