"""When a failed delivery is tried again: exponential backoff with jitter, within a budget. Pure."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_S, LONGEST_S = 1.0, 3600.0
# a receiver that asks for more is looked at again after a day
LONGEST_ASKED_S = 86_400.0


def backoff_s(failures: int, chance: float) -> float:
    """Return how many seconds to wait after so many failures in a row.

    Doubles from 1 s to an hour, and is spread over half to one and a half of that, so that those
    who failed together do not come back together.

    Args:
        failures: at least 1.
        chance: a random number from 0 up to 1.
    """
    doubled = FIRST_S * 2.0 ** min(failures - 1, 20)
    return min(doubled, LONGEST_S) * (0.5 + chance)


def asked_s(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3); None for none.

    Args:
        retry_after: seconds or an HTTP date; anything else asks for nothing.
        now: the time, with a zone.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_ASKED_S)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return min(max((then - now).total_seconds(), 0.0), LONGEST_ASKED_S)
