"""The registry that tests tamper with: made once, put back after each of them."""

from collections.abc import Iterator

import pytest

from support.tampering import Scene, make_scene


@pytest.fixture(scope="session")
def made() -> Scene:
    return make_scene()


@pytest.fixture
def scene(made: Scene) -> Iterator[Scene]:
    yield made
    made.put_back()
