"""What a bucket holds under a prefix, page by page and in the order of the keys."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from regista.errors import RegistaError
from regista.storage.remote import failures
from regista.storage.remote.calling import MOST_BREAKS, call, call_again
from regista.storage.remote.clouds import AZURE
from regista.storage.remote.location import Location

if TYPE_CHECKING:
    from obstore import ListStream, ObjectMeta
    from obstore.store import ObjectStore

    Pages = Iterator[Sequence[ObjectMeta]]


def pages(client: "ObjectStore", where: Location, prefix: str, after: str) -> "Pages":
    """Yield what is under a prefix and sorts after a key.

    Args:
        client: speaks with the store.
        where: bucket and prefix, whose cloud says what it can do.
        prefix: '' or a folder's key with its slash.
        after: a key, or ''.

    Raises:
        StorageError: it cannot be listed.
    """
    if after and where.cloud is AZURE:
        return _walk(client, where, prefix, after)
    return _from(client, where, prefix, after)


def _from(client: "ObjectStore", where: Location, prefix: str, after: str) -> "Pages":
    import obstore

    def start(last: str) -> "ListStream[Sequence[ObjectMeta]]":
        return obstore.list(client, prefix or None, offset=last or None)

    last, breaks, stream = after, 0, start(after)
    while True:
        try:
            page = call(partial(next, stream, None))
        except RegistaError:
            raise
        except Exception as error:
            # the client asks again for a file that broke off, and not for a page of a list
            breaks += 1
            if breaks > MOST_BREAKS or not failures.Answer.of(error).broke_off:
                raise failures.storage_error(error, "list", "", where) from error
            stream = start(last)
            continue
        if not page:
            return
        last = page[-1]["path"]
        yield page


def _walk(client: "ObjectStore", where: Location, prefix: str, after: str) -> "Pages":
    """List folder by folder, for a store that cannot start in the middle of a list."""
    import obstore

    try:
        listed = call_again(lambda: obstore.list_with_delimiter(client, prefix or None))
    except RegistaError:
        raise
    except Exception as error:
        raise failures.storage_error(error, "list", "", where) from error
    here: dict[str, ObjectMeta | None] = {found["path"]: found for found in listed["objects"]}
    here |= {f"{folder}/": None for folder in listed["common_prefixes"]}
    for name in sorted(here):
        found = here[name]
        if found:
            yield [found]
        elif after.startswith(name):
            yield from _walk(client, where, name, after)
        elif name > after:
            yield from _from(client, where, name, "")
