"""Badges say what a stage holds, in words and signs, to everyone."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from regista.site import badges, paths
from regista.site.badges import COLOURS, LABEL_COLOUR, Badge, State, drawn, width_of
from support import site_registries
from support.registries import OPEN, new_registry, register
from support.site_files import Files, site_of

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "title", "rect", "path", "circle", "g", "text"}


def parsed(data: bytes) -> ET.Element:
    """Read a badge, and be sure of what makes it accessible and self-contained."""
    image = ET.fromstring(data)  # noqa: S314 - made by us
    assert image.tag == f"{SVG}svg"
    assert image.get("role") == "img"
    assert image.get("aria-label") == image.findtext(f"{SVG}title")
    for element in image.iter():
        assert element.tag.removeprefix(SVG) in {
            "svg",
            "title",
            "rect",
            "path",
            "circle",
            "g",
            "text",
        }
        assert not {"href", "style", "class"} & set(element.keys())
    return image


def texts(image: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in image.iter(f"{SVG}text")]


def badge(state: State, version: int | None = 12, **more: str) -> ET.Element:
    names = {"entry": "fraud/card", "stage": "prod", **more}
    return parsed(drawn(Badge(version=version, state=state, **names)))


@pytest.mark.parametrize(
    ("state", "version", "shown", "told"),
    [
        (State.HELD, 12, "v12", "holds version 12"),
        (State.EMPTY, None, "empty", "is empty"),
        (State.DEPRECATED, 12, "v12 deprecated", "holds version 12, which is deprecated"),
        (State.ARCHIVED, 12, "v12 archived", "holds version 12, which is archived"),
        (State.WAIVED, 12, "v12 waived", "holds version 12, which entered with a waiver"),
    ],
)
def test_a_badge_says_stage_version_and_state(
    state: State, version: int | None, shown: str, told: str
) -> None:
    image = badge(state, version)
    assert texts(image) == ["prod", shown]
    assert image.get("aria-label") == f"fraud/card: prod {told}"


def test_states_differ_in_more_than_their_colour() -> None:
    signs = {
        state: ET.tostring(image.findall(f"{SVG}g")[0][0])
        for state in (State.HELD, State.EMPTY, State.DEPRECATED, State.WAIVED)
        if (image := badge(state))
    }
    assert len(set(signs.values())) == len(signs)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2.2 defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", sorted({*COLOURS.values(), LABEL_COLOUR}))
def test_white_text_is_readable_on_every_colour(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


def test_every_state_has_a_colour_and_a_drawing() -> None:
    for state in State:
        badge(state)


def test_texts_stay_within_the_badge_whatever_their_length() -> None:
    for stage in ("i", "WWWW", "a-long-stage-name", "x" * 255):
        image = badge(State.DEPRECATED, 123_456, stage=stage)
        for text in image.iter(f"{SVG}text"):
            end = int(text.get("x", "0")) + int(text.get("textLength", "0"))
            assert end <= int(image.get("width", "0")) - 7
    assert int(image.get("width", "0")) < 600
    assert texts(image)[0].endswith("…")
    assert "x" * 255 in (image.findtext(f"{SVG}title") or "")


def test_wider_texts_get_more_room() -> None:
    assert width_of("prod") < width_of("WWWW") < width_of("WWWW ")
    # 11-pixel Verdana takes 27 pixels for it
    assert abs(width_of("prod") - 27) <= 2


def test_hostile_names_stay_text() -> None:
    image = badge(State.HELD, entry='"><script>alert(1)</script>&\x00', stage="<b>")
    assert image.findtext(f"{SVG}title") == ('"><script>alert(1)</script>&: <b> holds version 12')
    assert texts(image) == ["<b>", "v12"]


def test_each_stage_of_the_policy_has_a_badge(demo_site: Files) -> None:
    def shown(name: str, stage: str) -> list[str]:
        return texts(parsed(demo_site[paths.badge(name, stage)]))

    assert shown("digits/classifier", "prod") == ["prod", "v2"]
    assert shown("digits/classifier", "staging") == ["staging", "v5"]
    assert shown("digits", "prod") == ["prod", "empty"]
    assert len([path for path in demo_site if path.startswith("badges/")]) == 9


def test_what_is_deprecated_or_waived_is_told(tmp_path: Path, waived_site: Files) -> None:
    registry = new_registry(OPEN, folder=tmp_path)
    register(registry, "m", "1")
    registry.promote("m@1", "prod")
    registry.deprecate("m@1", reason="old")
    site = site_of(str(tmp_path))
    assert texts(parsed(site[paths.badge("m", "prod")])) == ["prod", "v1 deprecated"]
    found = texts(parsed(waived_site[paths.badge(site_registries.WAIVED, "prod")]))
    assert found == ["prod", "v1 waived"]


def test_a_stage_that_is_emptied_is_empty(everything_site: Files) -> None:
    assert texts(parsed(everything_site[paths.badge("m", "staging")])) == ["staging", "empty"]


def test_badges_are_small() -> None:
    assert len(badges.drawn(Badge("fraud/card", "prod", 12, State.HELD))) < 1200
