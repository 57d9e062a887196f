"""Badges: small SVG images that say what a stage holds, for READMEs and dashboards. Pure.

They stand alone, so their colours are their own. A state is told by its word and its sign, never
by its colour alone, and the title tells it in a sentence.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from regista.site import paths
from regista.site.feeds import xml_text
from regista.site.listing import Site
from regista.site.model import Entry

_HEIGHT = 20
_PADDING = 7
_SIGN = 14
_MAX_SHOWN = 40
# advance widths of 11-pixel Verdana, in tenths of a pixel; what is not listed is as wide as `W`
_TENTHS = {
    **dict.fromkeys("ijl'|", 31), **dict.fromkeys("I.,:;ft/-_ ()[]!", 45),
    **dict.fromkeys("rsczJ", 54), **dict.fromkeys("abdeghknopquvxyLFTPEY", 67),
    **dict.fromkeys("0123456789ABCDGHKNRSUVXZ", 76),
}  # fmt: skip
_WIDEST = 110


class State(StrEnum):
    """What a badge says of a stage."""

    HELD = "held"
    EMPTY = "empty"
    DEPRECATED = "deprecated"
    ARCHIVED = "archived"
    DELETED = "deleted"
    WAIVED = "waived"


# white on each has a contrast of 4.5 and more
COLOURS = {
    State.HELD: "#2d6a4a",
    State.EMPTY: "#646b75",
    State.DEPRECATED: "#a03a2c",
    State.ARCHIVED: "#a03a2c",
    State.DELETED: "#a03a2c",
    State.WAIVED: "#7d5a0f",
}
LABEL_COLOUR = "#3a414b"
_STROKE = ' fill="none" stroke="#fff" stroke-width="1.4" stroke-linejoin="round"'
_WARNING = f'<path d="M5 .8 9.6 9.2H.4ZM5 3.6v2.6M5 7.4v.6"{_STROKE}/>'
# each in a square of 10 by 10
_SIGNS = {
    State.HELD: f'<path d="M.8 5.4 3.8 8.4 9.2 1.8"{_STROKE}/>',
    State.EMPTY: f'<circle cx="5" cy="5" r="4"{_STROKE} stroke-dasharray="2 2"/>',
    State.DEPRECATED: _WARNING,
    State.ARCHIVED: _WARNING,
    State.DELETED: _WARNING,
    State.WAIVED: f'<path d="M5 .6 9.4 5 5 9.4.6 5ZM3.2 5h3.6"{_STROKE}/>',
}


class Badge(NamedTuple):
    """What a badge says: of which entry's stage, and the version that it holds, if any."""

    entry: str
    stage: str
    version: int | None
    state: State


def badges_of(site: Site, entry: Entry) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of the badge of each stage that an entry holds, held or might hold."""
    stages = dict.fromkeys([*site.stages, *(slot.stage for slot in entry.slots)])
    for stage in stages:
        yield paths.badge(entry.name, stage), drawn(_badge(entry, stage))


def _badge(entry: Entry, stage: str) -> Badge:
    slot = entry.slot(stage)
    version = entry.version(slot.version) if slot else None
    if slot is None or version is None:
        return Badge(entry.name, stage, None, State.EMPTY)
    state = State.HELD
    if version.status != "active":
        state = State(version.status)
    elif any(
        item.seq == slot.seq and item.stage == stage and item.outcome == "waived"
        for item in version.decisions
    ):
        state = State.WAIVED
    return Badge(entry.name, stage, version.number, state)


def drawn(badge: Badge) -> bytes:
    """Return a badge as an SVG image."""
    left, right = _cut(badge.stage), _right(badge)
    left_text, right_text = width_of(left), width_of(right)
    label = left_text + 2 * _PADDING
    width = label + _SIGN + right_text + 2 * _PADDING
    title = xml_text(_sentence(badge))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}"'
        f' viewBox="0 0 {width} {_HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<rect width="{width}" height="{_HEIGHT}" rx="3" fill="{COLOURS[badge.state]}"/>'
        f'<path d="M3 0H{label}V{_HEIGHT}H3A3 3 0 0 1 0 {_HEIGHT - 3}V3A3 3 0 0 1 3 0Z"'
        f' fill="{LABEL_COLOUR}"/>'
        f'<g transform="translate({label + _PADDING} 5)">{_SIGNS[badge.state]}</g>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        f"{_text(left, _PADDING, left_text)}"
        f"{_text(right, label + _PADDING + _SIGN, right_text)}"
        "</g></svg>\n"
    ).encode()


def width_of(text: str) -> int:
    """Return about how wide a text is, in pixels."""
    return -(-sum(_TENTHS.get(char, _WIDEST) for char in text) // 10)


def _text(text: str, x: int, width: int) -> str:
    # whatever font there is, the text keeps the width that was left for it
    fit = f'textLength="{width}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x}" y="14" {fit}>{xml_text(text)}</text>'


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _right(badge: Badge) -> str:
    if badge.version is None:
        return str(State.EMPTY)
    held = f"v{badge.version}"
    return held if badge.state is State.HELD else f"{held} {badge.state}"


def _sentence(badge: Badge) -> str:
    if badge.version is None:
        return f"{badge.entry}: {badge.stage} is empty"
    held = f"{badge.entry}: {badge.stage} holds version {badge.version}"
    match badge.state:
        case State.WAIVED:
            return f"{held}, which entered with a waiver"
        case State.DEPRECATED | State.ARCHIVED | State.DELETED:
            return f"{held}, which is {badge.state}"
        case _:
            return held
