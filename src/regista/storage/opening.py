"""From a registry's URI to its Store.

Nothing is read or written here; whether a registry is there is for others to find out. Where the
URI comes from (option, environment, `regista.toml`) is the caller's business.
"""

import os
import re
from pathlib import Path

from regista.errors import InvalidInputError
from regista.model.names import shown
from regista.storage.store import Store

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# a folder of that name would be made, and taken for the bucket
_MISTYPED = re.compile(r"\s*(?:s3|gs|az|file|memory):", re.IGNORECASE)
_MEMORY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_REMOTE = ("s3", "gs", "az")
_FORMS = "use a path, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX"


def open_store(uri: str) -> Store:
    """Return the Store that a URI names.

    Args:
        uri: a path, `file://` and a path, `s3://`, `gs://` or `az://` with a bucket and a prefix,
            or `memory://` and a name.

    Raises:
        InvalidInputError: no such kind of store, or its client is not installed.
        StorageError: an object store cannot be used with what the environment says.
    """
    match = _SCHEME.match(uri)
    if match is None:
        return _local(uri)
    scheme, rest = match[1].lower(), uri[match.end() :]
    if scheme == "file":
        return _local(_path_of_file_uri(uri, rest))
    if scheme == "memory":
        return _memory(rest)
    if scheme in _REMOTE:
        return _remote(scheme, rest)
    raise InvalidInputError(f"{shown(uri)} has an unknown scheme, {scheme}://", hint=_FORMS)


def store_uri(uri: str) -> str:
    """Return one way to write a URI, the same for all that name the same place.

    Raises:
        InvalidInputError: as `open_store`.
    """
    match = _SCHEME.match(uri)
    scheme, rest = (match[1].lower(), uri[match.end() :]) if match else ("", "")
    if scheme == "memory":
        return f"{scheme}://{rest}"
    if scheme in _REMOTE:
        from regista.storage.remote.location import Location

        return str(Location.parse(scheme, rest))
    return os.path.realpath(open_store(uri).uri)


def _local(path: str) -> Store:
    from regista.storage.local import LocalStore

    if not path or "\0" in path:
        raise InvalidInputError(f"{shown(path)} is not a path of a registry", hint=_FORMS)
    if _MISTYPED.match(path):
        raise InvalidInputError(f"{shown(path)} is neither a path nor a URI", hint=_FORMS)
    try:
        folder = Path(path).expanduser()
    except RuntimeError as error:
        raise InvalidInputError(f"{shown(path)}: {error}", hint="write the path in full") from error
    if _is_file(folder):
        raise InvalidInputError(
            f"{shown(path)} is a file; a registry is a folder", hint="name the folder"
        )
    return LocalStore(folder)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # not ours to explain: the first reading or writing will
        return False


def _path_of_file_uri(uri: str, rest: str) -> str:
    from urllib.parse import unquote

    host, slash, path = rest.partition("/")
    if host not in {"", "localhost"} or not slash:
        raise InvalidInputError(
            f"{shown(uri)} does not name a folder of this machine", hint="write file:///PATH"
        )
    return slash + unquote(path)


def _remote(scheme: str, rest: str) -> Store:
    from regista.storage.remote.location import Location
    from regista.storage.remote.store import RemoteStore

    return RemoteStore(Location.parse(scheme, rest))


def _memory(name: str) -> Store:
    from regista.storage.memory import memory_store

    if not _MEMORY_NAME.fullmatch(name):
        raise InvalidInputError(
            f"{shown(name)} is not a name of a memory store", hint="use letters, digits, _ . -"
        )
    return memory_store(name)
