"""Axes: where ticks stand and what they say; from values to places.

Ticks are whole multiples of a step, reckoned in decimals, and written with just the digits that
the step needs: 0.912, 0.913, 0.914, never 0.9 three times. Times are UTC; months are named in
English whatever the locale.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

_EXACT = Context(prec=60)
_LARGEST = sys.float_info.max
# spans below are noise of floating point, not differences
_NOISE = 1e-12
_PLAIN_LENGTH = 7
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# 1970-01-05 was a Monday
_MONDAY = 4 * 86_400
_DAY = 86_400
_SECOND_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200),
    *(_DAY, 2 * _DAY, 4 * _DAY, 7 * _DAY, 14 * _DAY),
)
_MONTH_STEPS = (1, 2, 3, 6)


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick of an axis.

    Attributes:
        at: value on the axis; for times, seconds since 1970.
        label: what it says.
        context: what the label leaves out (`2026` beside `3 Mar`), where it changed; else empty.
    """

    at: float
    label: str
    context: str = ""


def number(value: float, digits: int = 4) -> str:
    """Return a number for people, rounded to some significant digits: `0.9123`, `12,346`, `1e-9`.

    A number that is not finite is a dash.
    """
    if not math.isfinite(value):
        return "\N{EN DASH}"
    if value == 0:
        return "0"
    exact = Decimal(repr(value))
    rounded = Context(prec=digits).plus(exact).normalize()
    return number_to(rounded, int(rounded.as_tuple().exponent))


def number_to(value: Decimal, exponent: int, largest: Decimal | None = None) -> str:
    """Return a number down to the decimal place `10**exponent`: plain, or scientific if shorter.

    Args:
        value: what to write.
        exponent: of the last digit.
        largest: what decides between plain and scientific, so that all ticks of an axis are alike;
            the value itself by default.
    """
    value = value.quantize(Decimal((0, (1,), exponent)), context=_EXACT)
    decimals = max(0, -exponent)
    if _is_plain(value if largest is None else largest, decimals):
        grouped = value.adjusted() >= 4 and not decimals  # noqa: PLR2004 - 1000 needs no comma
        text = f"{abs(value):,.{decimals}f}" if grouped else f"{abs(value):.{decimals}f}"
    else:
        text = f"{abs(value).normalize(_EXACT):e}".replace("e+", "e") if value else "0"
    return f"\N{MINUS SIGN}{text}" if value < 0 else text


def _is_plain(value: Decimal, decimals: int) -> bool:
    length = max(1, value.adjusted() + 1 if value else 1) + decimals + bool(decimals)
    if length <= _PLAIN_LENGTH:
        return True
    return bool(value) and length <= len(f"{abs(value).normalize(_EXACT):e}".replace("+", ""))


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """Widen a range of finite values at both ends; equal values get a range around them."""
    span = high / 2 - low / 2
    size = max(abs(low), abs(high))
    equal = span <= size * _NOISE
    margin = (size * 0.05 or 1.0) if equal else min(span, _LARGEST / 4) * 2 * share
    return max(low - margin, -_LARGEST), min(high + margin, _LARGEST)


def projection(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Return the map from values to places, low to start and high to end; one value is centred."""
    # halves, so that the span of the largest numbers is still one
    span = high / 2 - low / 2
    if not span:
        return lambda _: (start + end) / 2
    return lambda value: start + (value / 2 - low / 2) / span * (end - start)


def _decimal(value: float) -> Decimal:
    # by its shortest text: 0.912 is 0.912 and not a little more, which would cost its tick
    return Decimal(repr(value))


def step_exponent(low: float, high: float, count: int) -> tuple[int, int]:
    """Return the step of an axis, as digit and power of ten: 1, 2 or 5 times `10**exponent`."""
    raw = _EXACT.divide(_EXACT.subtract(_decimal(high), _decimal(low)), Decimal(count))
    exponent = raw.adjusted()
    leading = raw.scaleb(-exponent, context=_EXACT)
    for digit in (1, 2, 5):
        if leading <= digit:
            return digit, exponent
    return 1, exponent + 1


def linear_ticks(low: float, high: float, count: int = 5) -> tuple[Tick, ...]:
    """Return about `count` ticks, at least two, within a range of finite values, low < high."""
    digit, exponent = step_exponent(low, high, count)
    step = Decimal((0, (digit,), exponent))
    first = int(_EXACT.divide(_decimal(low), step).to_integral_value(ROUND_CEILING))
    last = int(_EXACT.divide(_decimal(high), step).to_integral_value(ROUND_FLOOR))
    values = [_EXACT.multiply(step, Decimal(k)) for k in range(first, last + 1)]
    largest = max(map(abs, values))
    return tuple(Tick(float(value), number_to(value, exponent, largest)) for value in values)


def integer_ticks(low: int, high: int, count: int = 6) -> tuple[Tick, ...]:
    """Return up to some `count` ticks on whole numbers, both ends among them."""
    if low >= high:
        return (Tick(low, str(low)),)
    digit, exponent = step_exponent(low, high, max(1, count - 1))
    step = max(1, digit * 10 ** max(0, exponent)) if exponent >= 0 else 1
    first = -(-low // step) * step
    room = 0.7 * step
    inner = [at for at in range(first, high, step) if at - low >= room and high - at >= room]
    return tuple(Tick(at, str(at)) for at in (low, *inner, high))


def seconds(moment: datetime) -> float:
    """Return a moment with a zone as seconds since 1970."""
    return (moment - _EPOCH).total_seconds()


def day_text(moment: datetime) -> str:
    """Return the date of a moment for people: `3 Mar 2026`."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def minute_text(moment: datetime) -> str:
    """Return date and time of day of a moment for people: `3 Mar 2026 09:30`."""
    return f"{day_text(moment)} {moment.hour:02}:{moment.minute:02}"


def time_ticks(start: datetime, end: datetime, count: int = 6) -> tuple[Tick, ...]:
    """Return at most `count` ticks at round times from start to end, both in UTC, start <= end.

    They stand at seconds, minutes, hours, days, Mondays, months or years, whichever fits. A span
    that crosses no round time of the fitting step has fewer, or none.
    """
    low, high = seconds(start), seconds(end)
    for step in _SECOND_STEPS:
        offset = _MONDAY if step >= 7 * _DAY else 0
        found = _multiples(low - offset, high - offset, step)
        if len(found) <= count:
            return tuple(_labelled((_moment(k * step + offset) for k in found), step))
    first, last = _months(start, up=True), _months(end)
    step = next(x for x in _month_steps() if len(_multiples(first, last, x)) <= count)
    starts = (_month_start(k * step) for k in _multiples(first, last, step))
    return tuple(_labelled(starts, step * 31 * _DAY))


def _multiples(low: float, high: float, step: int) -> range:
    """Return which multiples of a step lie from low to high."""
    return range(math.ceil(low / step), math.floor(high / step) + 1)


def _month_steps() -> Iterator[int]:
    """Yield steps in months, without end."""
    yield from _MONTH_STEPS
    years = 1
    while True:
        yield from (12 * years, 24 * years, 60 * years)
        years *= 10


def _months(moment: datetime, *, up: bool = False) -> int:
    """Return the months since year 0, to the start of the month or up to the next start."""
    whole = moment.year * 12 + moment.month - 1
    begin = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return whole + (up and moment > begin)


def _month_start(months: int) -> datetime:
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _moment(since_epoch: int) -> datetime:
    return _EPOCH + timedelta(seconds=since_epoch)


def _labelled(moments: Iterator[datetime], step: float) -> Iterator[Tick]:
    """Label ticks so that neighbours differ, with what the label leaves out where it changes."""
    before = ""
    for moment in moments:
        label, context = _time_label(moment, step)
        yield Tick(seconds(moment), label, context if context != before else "")
        before = context


def _time_label(moment: datetime, step: float) -> tuple[str, str]:
    if step < 60:  # noqa: PLR2004 - a minute
        return f"{moment:%H:%M:%S}", day_text(moment)
    if step < _DAY:
        return f"{moment:%H:%M}", day_text(moment)
    month = _MONTHS[moment.month - 1]
    if step <= 14 * _DAY:
        return f"{moment.day} {month}", str(moment.year)
    if step < 366 * _DAY:
        return month, str(moment.year)
    return str(moment.year), ""
