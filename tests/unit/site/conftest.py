"""Sites that several tests read; each is built once."""

from pathlib import Path

import pytest

from support import everything, site_registries
from support.site_files import Files, site_of


@pytest.fixture(scope="session")
def demo_site() -> Files:
    """The site of the committed registry."""
    return site_of(str(site_registries.DEMO))


@pytest.fixture(scope="session")
def everything_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry in which every operation happened."""
    root = tmp_path_factory.mktemp("everything")
    everything.build(folder=root)
    return root


@pytest.fixture(scope="session")
def everything_site(everything_root: Path) -> Files:
    """Its site."""
    return site_of(str(everything_root))


@pytest.fixture(scope="session")
def waived_site(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The site of a registry with waivers."""
    return site_of(str(site_registries.waived(tmp_path_factory.mktemp("waived"))))


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The site of a registry of texts that bite."""
    return site_of(str(site_registries.hostile(tmp_path_factory.mktemp("hostile"))))
