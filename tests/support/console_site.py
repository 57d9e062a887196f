"""A site with all that can be published, for the SQL console."""

from pathlib import Path

from regista.registry.core import Registry
from regista.site.options import PUBLISHABLE, SiteOptions
from regista.site.publishing import SiteBuilder

ROOT = Path(__file__).parents[2]


def build(folder: Path, registry: Registry) -> None:
    """Build a registry's site into a folder."""
    SiteBuilder(registry, SiteOptions(publish=frozenset(PUBLISHABLE)), folder).publish()
