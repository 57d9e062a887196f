"""Times and durations as the registry writes them.

A time is RFC 3339 in UTC with microseconds: `2026-03-03T09:30:00.000000Z`. Such texts sort as the
times do. A duration is a number and a unit: `90s`, `15m`, `24h`, `7d`, `2w`.
"""

import re
from datetime import UTC, datetime, timedelta

from regista.errors import InvalidInputError
from regista.model.names import shown

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DURATION = re.compile(r"([0-9]{1,9})([smhdw])")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def format_time(moment: datetime) -> str:
    """Return a moment with a zone as the registry writes it."""
    # not strftime, whose %Y has no leading zeros on every system
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 or ISO 8601 time with a zone, as UTC; a date alone is its end.

    Raises:
        InvalidInputError: not a time, or one without a zone.
    """
    try:
        if _DATE.fullmatch(text):
            midnight = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return midnight + timedelta(days=1) - timedelta(microseconds=1)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"{shown(text)} is not a time", hint="write it as 2026-03-03T09:30:00Z"
        ) from error
    raise InvalidInputError(
        f"{shown(text)} has no time zone", hint=f"write {text}Z for UTC, or an offset like +01:00"
    )


def parse_duration(text: str) -> timedelta:
    """Read a duration such as `7d`.

    Raises:
        InvalidInputError: not a number followed by s, m, h, d or w.
    """
    try:
        if match := _DURATION.fullmatch(text):
            return timedelta(seconds=int(match[1]) * _UNIT_SECONDS[match[2]])
    except OverflowError:
        raise InvalidInputError(f"{shown(text)} is longer than can be reckoned with") from None
    raise InvalidInputError(
        f"{shown(text)} is not a duration", hint="write a number and a unit: 90s, 15m, 24h, 7d, 2w"
    )


def format_duration(delta: timedelta) -> str:
    """Return a duration for people, in its largest two units: `2d 3h`, `15m`, `0s`."""
    left = max(0, int(delta.total_seconds()))
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def elapsed(start: str, end: str) -> timedelta:
    """Return the time from one registry time to another."""
    return datetime.fromisoformat(end) - datetime.fromisoformat(start)
