"""The tip: what a checkpoint of the newest commit would hold, in one small file.

`checkpoints/tip.json` is overwritten after each commit to a store where each question takes time,
so that a machine that knows nothing of the registry yet asks for one file, and not for every
commit since the newest checkpoint. It is a hint: writers may overwrite each other's in any order,
and whoever reads it believes it only when the log file of its number has the digest that it names.
What it says is the caller's business; see `regista.read.recalling`.
"""

from dataclasses import dataclass
from typing import Any

from regista.errors import IntegrityError
from regista.storage.checkpoint import CHECKPOINTS_PREFIX, FORMAT, sealed, unsealed

TIP_KEY = f"{CHECKPOINTS_PREFIX}tip.json"


@dataclass(frozen=True, slots=True)
class Tip:
    """What is known at a commit.

    Attributes:
        seq: number of the commit.
        said: what is known, as JSON.
    """

    seq: int
    said: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Return the file, canonical JSON with a digest of itself."""
        return sealed({"format": FORMAT, "seq": self.seq, "said": self.said})


def parse_tip(data: bytes) -> Tip | None:
    """Read what `Tip.to_bytes` wrote; None when it has another format.

    Raises:
        IntegrityError: it is not as it was written.
    """
    body = unsealed(data, "tip")
    try:
        if body["format"] != FORMAT:
            return None
        return Tip(int(body["seq"]), dict(body["said"]))
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError("the tip is damaged") from error
