"""Exit codes: what the contract promises of every command, and which failure has which.

The library raises; here is the one place that turns an error, or a result that says no, into a
number. Nothing here prints.
"""

from enum import IntEnum
from typing import TYPE_CHECKING

from regista import errors

if TYPE_CHECKING:
    from regista.registry.results import Written as AnyWritten


class ExitCode(IntEnum):
    """What a shell sees."""

    DONE = 0
    INTERNAL = 1
    INVALID = 2
    REFUSED = 3
    NOT_FOUND = 4
    CONFLICT = 5
    INTEGRITY = 6
    STORAGE = 7
    INTERRUPTED = 130
    BROKEN_PIPE = 141


_ERROR_EXITS: dict[type[errors.RegistaError], ExitCode] = {
    errors.InvalidInputError: ExitCode.INVALID,
    errors.RefusedError: ExitCode.REFUSED,
    errors.NotFoundError: ExitCode.NOT_FOUND,
    errors.ConflictError: ExitCode.CONFLICT,
    errors.OutcomeUnknownError: ExitCode.CONFLICT,
    errors.IntegrityError: ExitCode.INTEGRITY,
    errors.StorageError: ExitCode.STORAGE,
}


def exit_code_of(error: errors.RegistaError) -> ExitCode:
    """Return the exit code of an error: that of its nearest class in the table."""
    for class_ in type(error).__mro__:
        if class_ in _ERROR_EXITS:
            return _ERROR_EXITS[class_]
    # a bare RegistaError is never raised on purpose, so one that arrives here is a bug
    return ExitCode.INTERNAL


def exit_code_of_result(result: "AnyWritten") -> ExitCode:
    """Return the exit code of a result; a refusal and a failed drill are results, not errors."""
    # results belong to writing, which commands that only ask do not load
    from regista.registry.results import Aliased, Decided, Drilled, PolicyApplied, Written

    match result:
        case Written() if result.vetoes:
            return ExitCode.REFUSED
        case (
            Decided(outcome="refused")
            | Aliased(outcome="refused")
            | PolicyApplied(outcome="refused")
        ):
            return ExitCode.REFUSED
        case Drilled(ok=False):
            return ExitCode.INTEGRITY
        case _:
            return ExitCode.DONE


MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done",
    ExitCode.INTERNAL: "internal error, a bug",
    ExitCode.INVALID: "usage, invalid or missing input, or a newer format",
    ExitCode.REFUSED: "refused by a gate, a pre-hook or a rule of state",
    ExitCode.NOT_FOUND: "no such registry, entry, version, selector or rollback target",
    ExitCode.CONFLICT: "other writers won until the timeout, or the outcome is unknown",
    ExitCode.INTEGRITY: "stored bytes are not what they should be, or a drill failed",
    ExitCode.STORAGE: "the storage is unreachable, full, or denies access, or a hook failed",
    ExitCode.INTERRUPTED: "interrupted with Ctrl-C",
    ExitCode.BROKEN_PIPE: "the reader of the output went away",
}
