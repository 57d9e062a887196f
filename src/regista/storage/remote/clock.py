"""The time of an object store, from the header that every answer of HTTP bears.

The client of the store does not show it, and no permission is needed to learn it: whatever the
store says to a question without credentials, it says when. Who cannot be asked is not insisted
on; what is at stake is a wrong clock, which is rare.
"""

from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

_TIMEOUT_S = 5.0


def time_at(url: str) -> datetime | None:
    """Return the `Date` of an answer from there, with its zone; None when there is none."""
    if not url.startswith(("https://", "http://")):
        return None
    said: str | None = None
    try:
        with urlopen(Request(url, method="HEAD"), timeout=_TIMEOUT_S) as answer:  # noqa: S310
            said = answer.headers.get("Date")
    except HTTPError as error:
        # a refusal has a date too
        said = error.headers.get("Date")
        error.close()
    except (OSError, HTTPException, ValueError):
        return None
    with suppress(ValueError, TypeError):
        found = parsedate_to_datetime(said or "")
        return found if found.tzinfo else None
    return None
