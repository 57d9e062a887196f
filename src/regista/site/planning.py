"""What a site is built from: a commit, the owner's choices, templates.

It is all that a build with nothing to do needs, so it imports neither DuckDB nor Jinja.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from regista.decide.state import State
from regista.model import canonical
from regista.registry.reads import AsOf, Reads
from regista.site.options import SiteOptions
from regista.site.pages.navigation import BarItem
from regista.site.templates import shipped_templates, templates_digest
from regista.version import __version__


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build is made from.

    Attributes:
        reads: the registry.
        options: the owner's choices.
        state: the registry at the pinned commit.
        verified: whether all of the registry was verified just before.
        docs: prose of the site: titles and paths from the site's root.
    """

    reads: Reads
    options: SiteOptions
    state: State
    verified: bool
    docs: tuple[BarItem, ...]

    @property
    def inputs(self) -> dict[str, str]:
        """Names and digests of all that the site follows from."""
        return {**self.shared, "head": self.state.digest, "verified": str(self.verified)}

    @property
    def shared(self) -> dict[str, str]:
        """What every page follows from, but for the rows."""
        options = self.options
        chosen = [
            options.title, options.base_url, options.rollback_url, sorted(options.publish),
            [list(item) for item in self.docs],
        ]  # fmt: skip
        return {
            "engine": __version__,
            "options": canonical.digest(chosen),
            "policy": self.state.policy_digest,
            "registry": self.state.registry,
            "templates": templates_digest(options.templates, shipped_templates()),
        }


def plan(
    reads: Reads,
    options: SiteOptions,
    *,
    as_of: AsOf = None,
    verified: bool = False,
    docs: Iterable[BarItem] = (),
) -> Plan:
    """Pin a commit to build a site of.

    Raises:
        NotFoundError: there is no such commit.
    """
    return Plan(reads, options, reads.state(as_of), verified, tuple(docs))
