"""The policy bundle: a policy with everything that it names, as one blob.

The blob is canonical JSON `{"files": {path: text}, "policy": …, "yaml": source}`, its SHA-256 is
the policy's digest. So the policy in force is part of the history, and a replay needs no file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from regista.decide.policy import Policy
from regista.errors import IntegrityError, InvalidInputError, NewerFormatError
from regista.model import canonical


@dataclass(frozen=True, slots=True)
class PolicyBundle:
    """A policy, its source text, and the files that it names.

    Attributes:
        policy: the policy as a value.
        value: the parsed policy, decimals as texts.
        files: texts of the files that its gates name, by path.
        yaml: the source as it was written, comments included.
        data: the blob.
        digest: SHA-256 of the blob.
    """

    policy: Policy
    value: dict[str, Any]
    files: Mapping[str, str]
    yaml: str
    data: bytes
    digest: str

    @classmethod
    def of(cls, value: dict[str, Any], files: Mapping[str, str], yaml: str) -> Self:
        """Bundle a checked policy.

        Raises:
            InvalidInputError: a text is not valid Unicode, or a named file is not among `files`.
        """
        data = canonical.encode({"files": dict(files), "policy": value, "yaml": yaml})
        policy = Policy.from_json(value, files)
        return cls(policy, value, files, yaml, data, canonical.sha256_hex(data))

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read a bundle that was stored.

        Raises:
            IntegrityError: the bytes are no bundle, or not a whole one.
            NewerFormatError: a gate's kind is not known to this Regista.
        """
        try:
            parts = canonical.decode(data)
            value, files, yaml = parts["policy"], parts["files"], parts["yaml"]
            policy = Policy.from_json(value, files)
        except NewerFormatError:
            raise
        except (InvalidInputError, KeyError, TypeError, ValueError) as error:
            raise IntegrityError(
                f"a stored policy is damaged: {error}", hint="regista verify --deep"
            ) from error
        return cls(policy, value, files, yaml, data, canonical.sha256_hex(data))
