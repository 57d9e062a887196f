"""Every error that Regista raises on purpose.

One base class, one subclass per way of failing. The message says what is wrong and where;
the hint names the command or the change that mends it. Mapping to exit codes is the command
line's business (`regista.cli.exits`); a third party's exception that leaves the library is a bug.
"""


class RegistaError(Exception):
    """Base of all errors of Regista.

    Attributes:
        code: stable machine-readable name of the failure, as printed in `error.code`.
        hint: what to do about it; may be empty.
    """

    code = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidInputError(RegistaError):
    """What the caller gave is malformed, or names something that cannot be used."""

    code = "invalid_input"


class NewerFormatError(InvalidInputError):
    """The registry was written by a newer Regista; reading on would misread it."""

    code = "newer_format"


class TxidReusedError(InvalidInputError):
    """The transaction id was used before, for other arguments."""

    code = "txid_reused"


class RefusedError(RegistaError):
    """A rule of state refuses the operation. Gate refusals are results, not errors."""

    code = "refused"


class NotFoundError(RegistaError):
    """No such registry, entry, version, selector, or rollback target."""

    code = "not_found"


class ConflictError(RegistaError):
    """Other writers won every attempt until the timeout."""

    code = "conflict"


class OutcomeUnknownError(RegistaError):
    """The store never said whether the commit was written.

    Attributes:
        txid: run the same command again with this transaction id to learn the outcome.
    """

    code = "outcome_unknown"

    def __init__(self, message: str, *, txid: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.txid = txid


class IntegrityError(RegistaError):
    """Stored bytes are not what their digest, their parent or the log says."""

    code = "integrity"


class StorageError(RegistaError):
    """The store is unreachable, denies access, or is full."""

    code = "storage"
