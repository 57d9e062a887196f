"""Publishing a site into a folder: verify if asked, build, take the old site's place at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regista.errors import IntegrityError
from regista.registry.reads import AsOf, Reads
from regista.site.guide import guide_pages, prose_digest, prose_sources
from regista.site.options import SiteOptions
from regista.site.output.publication import Publication, Published
from regista.site.pages.navigation import GUIDE_BAR
from regista.site.planning import Plan, plan
from regista.site.templates import shipped_templates

if TYPE_CHECKING:
    from regista.site.building import Progress

GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class SiteBuilder:
    """Builds the site of one registry into one folder, as often as asked.

    Attributes:
        reads: the registry.
        options: the owner's choices.
        out: the folder.
        as_of: commit number or time; None for the head.
        incremental: trust the manifest of the build before.
        verify: verify the whole registry first, and publish nothing when it has a problem.
    """

    reads: Reads
    options: SiteOptions
    out: Path
    as_of: AsOf = None
    incremental: bool = True
    verify: bool = False

    def publish(self, progress: "Progress | None" = None) -> tuple[int, Published]:
        """Build once; return the commit that the site shows, and what was written.

        Raises:
            IntegrityError: the registry has a problem.
            InvalidInputError: the folder is no place for a site, or a template is malformed.
            ConflictError: another process builds into the folder.
            StorageError: it cannot be written; the old site is as it was.
        """
        if self.verify:
            _require_sound(self.reads)
        planned = plan(
            self.reads, self.options, as_of=self.as_of, verified=self.verify, docs=GUIDE_BAR
        )
        with Publication.open(
            self.out, incremental=self.incremental, apart_from=self._apart_from()
        ) as publication:
            prose = prose_digest(self.options)
            inputs = {**planned.inputs, "prose": prose}
            if publication.unchanged(inputs):
                return planned.state.seq, publication.untouched()
            # heavy, and for nothing where there is nothing to do
            from regista.site.building import build

            def guide() -> None:
                if not publication.keep(GUIDE, _guide_fingerprint(planned, prose)):
                    for path, data in guide_pages(self.options):
                        publication.write(GUIDE, path, data)

            build(planned, publication, progress, others=[guide])
            return planned.state.seq, publication.finish(inputs)

    def fingerprint(self) -> object:
        """Return what changes when the site is out of date."""
        sources = (self.options.templates, shipped_templates(), *prose_sources(self.options))
        times = [
            (str(path), path.stat().st_mtime_ns)
            for source in sources
            if source
            for path in (source, *sorted(source.rglob("*")))
            if path.is_file()
        ]
        return self.reads.replica.refresh().digest, times

    def _apart_from(self) -> list[Path]:
        uri = self.reads.replica.store.uri
        return [] if "://" in uri else [Path(uri)]


def _guide_fingerprint(planned: Plan, prose: str) -> str:
    shared = planned.shared
    return f"{shared['engine']} {shared['templates']} {shared['options']} {prose}"


def _require_sound(reads: Reads) -> None:
    from regista.verify.run import verify

    found = verify(reads.replica)
    if not found.ok:
        first = found.problems[0]
        raise IntegrityError(
            f"the registry has {len(found.problems)} problems, so nothing was published;"
            f" the first: {first.detail}",
            hint="regista verify",
        )
