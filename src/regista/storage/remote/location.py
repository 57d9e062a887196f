"""Where a registry lies in an object store: cloud, bucket and prefix, as a URI names them."""

import re
from dataclasses import dataclass
from typing import Self

from regista.errors import InvalidInputError
from regista.model.names import shown
from regista.storage.remote.clouds import CLOUDS, Cloud

# S3: 3 to 63, GCS: up to 222 with dots, Azure containers: no dots. Each store checks its own.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}[A-Za-z0-9]")
# characters that every store and its client take as they are, unencoded
_SEGMENT = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._=+!'(),@$&;-]+")


@dataclass(frozen=True, slots=True)
class Location:
    """A bucket (in Azure: a container) and a prefix in it. `str` and `parse` are inverses.

    Attributes:
        cloud: which kind of store.
        bucket: its name.
        prefix: without slashes at its ends; '' for the whole bucket.
    """

    cloud: Cloud
    bucket: str
    prefix: str

    def __str__(self) -> str:
        whole = f"{self.bucket}/{self.prefix}" if self.prefix else self.bucket
        return f"{self.cloud.scheme}://{whole}"

    @classmethod
    def parse(cls, scheme: str, rest: str) -> Self:
        """Read what follows `SCHEME://`.

        Raises:
            InvalidInputError: no bucket can have that name, or no key that prefix.
        """
        cloud = CLOUDS[scheme]
        uri = f"{scheme}://{rest}"
        bucket, _, prefix = rest.partition("/")
        if not _BUCKET.fullmatch(bucket):
            raise InvalidInputError(
                f"{shown(uri)} does not name a {cloud.bucket_word}",
                hint=f"write {scheme}://{cloud.bucket_word.upper()}/PREFIX",
            )
        prefix = prefix.strip("/")
        if prefix and not all(_SEGMENT.fullmatch(part) for part in prefix.split("/")):
            raise InvalidInputError(
                f"{shown(uri)} has a prefix that a registry cannot have",
                hint="use letters, digits and . _ - = + in it, and no empty or dotted folder",
            )
        return cls(cloud, bucket, prefix)
