"""How tests read a figure."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

_GEOMETRY = {"x", "y", "cx", "cy", "r", "width", "height", "d", "viewBox", "stroke-width"}


@dataclass(frozen=True)
class Figure:
    root: ET.Element

    def all(self, tag: str, style: str = "") -> Iterator[ET.Element]:
        for element in self.root.iter(tag):
            if style in ("", *element.get("class", "").split()):
                yield element

    def texts(self, style: str = "") -> list[str]:
        return [element.text or "" for element in self.all("text", style)]

    def tooltips(self) -> list[str]:
        over = next(self.all("g", "over"), None)
        return [] if over is None else [title.text or "" for title in over.iter("title")]

    @property
    def image(self) -> ET.Element:
        return next(element for element in self.all("svg") if element.get("role") == "img")

    @property
    def name(self) -> str:
        return self.image.findtext("title") or ""

    @property
    def words(self) -> str:
        return self.image.findtext("desc") or ""


@pytest.fixture
def read() -> Callable[[str], Figure]:
    """Read a figure, and hold it to what every figure promises."""

    def reading(svg: str) -> Figure:
        figure = Figure(ET.fromstring(svg))  # noqa: S314 - what we made ourselves
        ids = [element.get("id") for element in figure.root.iter() if element.get("id")]
        assert len(ids) == len(set(ids))
        labels = figure.image.get("aria-labelledby", "").split()
        assert labels == ids
        assert figure.name
        for element in figure.root.iter():
            assert "style" not in element.attrib
            assert not [name for name in element.attrib if name.startswith("on")]
            for name in _GEOMETRY & element.attrib.keys():
                assert not {"nan", "inf"} & set(re.findall("[a-z]+", element.attrib[name]))
        # what is inside an image must not take the focus
        assert not list(figure.image.iter("a"))
        for anchor in figure.all("a"):
            assert anchor.get("tabindex") == "-1"
        return figure

    return reading
