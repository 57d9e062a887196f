"""The pages of one entry: itself, its versions, their lists, and the comparison of any two."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote
from typing import Any, NamedTuple

from regista.model.numbers import double_text
from regista.site import paths
from regista.site.api import addresses
from regista.site.facts import safe_url
from regista.site.listing import Site
from regista.site.model import Entry, FileRow, GatedMetric, Ref, Version
from regista.site.pages import prompts
from regista.site.pages.comparing import compared, score_of
from regista.site.pages.figures import metric_figure, timeline_figure
from regista.site.pages.navigation import pager
from regista.site.render import Renderer
from regista.site.texts import Texts

NEWEST = 50
EVENTS = 20
METRIC_COLUMNS = 4
MAX_CHARTS = 12
COMPARED_VERSIONS = 500
COMPARED_FILES = 200
Page = tuple[str, bytes]

LIMITS = {"shown_scores": 200, "shown_files": 200, "shown_uses": 100, "shown_events": 100}


class Row(NamedTuple):
    """A version in a table, with its values of the metrics that are columns."""

    version: Version
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntryPages:
    """Makes the pages of entries."""

    renderer: Renderer
    site: Site
    texts: Texts

    def pages(self, entry: Entry) -> Iterator[Page]:
        """Yield the pages of an entry, all but its feed and its JSON."""
        columns = entry.metrics[:METRIC_COLUMNS]
        rows = [Row(version, _values(version, columns)) for version in entry.versions]
        shared = {
            "metrics": columns,
            "many_suites": len({metric.suite for metric in columns}) > 1,
        }
        yield self._entry(entry, rows, shared)
        yield from self._lists(entry, rows, shared)
        yield from self._compare(entry, rows, shared)
        for version in entry.versions:
            yield self._version(entry, version)

    def _page(self, template: str, path: str, **values: Any) -> Page:  # noqa: ANN401
        return path, self.renderer.page(template, path, site=self.site, **values)

    def _entry(self, entry: Entry, rows: list[Row], shared: dict[str, Any]) -> Page:
        final = entry.slot(self.site.final_stage)
        incumbent = entry.version(final.version) if final else None
        return self._page(
            "registry/entry.html",
            entry.page,
            here=_section(entry.kind),
            entry=entry,
            slots=entry.slots,
            timeline=timeline_figure(entry, self.site),
            charts=[
                figure
                for index, metric in enumerate(entry.metrics[:MAX_CHARTS])
                if (figure := metric_figure(entry, metric, self.site, f"chart-{index}"))
            ],
            gated=any(metric.gates for metric in entry.metrics),
            live=compared(entry.newest, incumbent) if entry.newest else None,
            versions=rows[:NEWEST],
            pages=_page_count(entry),
            events=entry.events[:EVENTS],
            ways=_ways(entry, self.site),
            badges=[(slot.stage, paths.badge(entry.name, slot.stage)) for slot in entry.slots],
            quoted=quote(entry.name),
            **shared,
        )

    def _lists(self, entry: Entry, rows: list[Row], shared: dict[str, Any]) -> Iterator[Page]:
        count = _page_count(entry)
        if len(entry.versions) <= NEWEST:
            return
        oldest_first = rows[::-1]
        size = paths.VERSIONS_A_PAGE
        links = [
            (f"{page * size + 1} to {(page + 1) * size}", paths.versions_page(entry.name, page + 1))
            for page in range(count)
        ]
        for page in range(count):
            shown = [
                row for row in oldest_first if page * size < row.version.number <= (page + 1) * size
            ]
            yield self._page(
                "registry/versions.html",
                paths.versions_page(entry.name, page + 1),
                here=_section(entry.kind),
                name=entry.name,
                first=page * size + 1,
                last=shown[-1].version.number if shown else (page + 1) * size,
                versions=shown,
                pager=pager(links, page),
                **shared,
            )

    def _compare(self, entry: Entry, rows: list[Row], shared: dict[str, Any]) -> Iterator[Page]:
        final = entry.slot(self.site.final_stage)
        newest = entry.versions[0].number if entry.versions else 0
        held = final.version if final and final.version != newest else None
        one = held or (entry.versions[1].number if len(entry.versions) > 1 else newest)
        yield self._page(
            "registry/compare.html",
            paths.compare_page(entry.name),
            here=_section(entry.kind),
            entry=entry,
            one=one,
            other=newest,
            quoted_one=quote(f"{entry.name}@{one}"),
            quoted_other=quote(f"{entry.name}@{newest}"),
            versions=rows[:NEWEST],
            **shared,
        )
        if len(entry.versions) > 1:
            path = f"{paths.entry_folder(entry.name)}/compare-data.js"
            yield path, script("registaCompare", self._compare_data(entry))

    def _compare_data(self, entry: Entry) -> dict[str, Any]:
        versions = entry.versions[:COMPARED_VERSIONS]
        grains = {
            (run.suite, score.task, score.metric): score.higher_is_better
            for version in versions
            for run in version.latest_runs
            for score in run.scores
            if not score.slice
        }
        return {
            "name": entry.name,
            "metrics": [[*grain, higher] for grain, higher in grains.items()],
            "versions": [self._compared_version(version, list(grains)) for version in versions],
        }

    def _compared_version(
        self, version: Version, grains: list[tuple[str, str, str]]
    ) -> dict[str, Any]:
        scores = [score_of(version, *grain) for grain in grains]
        return {
            "n": version.number,
            "label": version.label,
            "status": version.status,
            "stages": version.stages,
            "time": version.time,
            "by": version.by,
            "digest": version.digest,
            "page": f"v/{version.number}.html",
            "scores": [score and [score.value, score.stderr] for score in scores],
            "params": version.params,
            "files": {
                file.path: [file.size, file.sha256[:12]]
                for file in version.artifacts[:COMPARED_FILES]
            },
            "texts": {
                file.path: text
                for file in version.artifacts[: prompts.MAX_FILES]
                if version.kind == "prompt" and (text := self._text(file)) is not None
            },
        }

    def _version(self, entry: Entry, version: Version) -> Page:
        return self._page(
            "registry/version.html",
            version.page,
            here=_section(version.kind),
            version=version,
            live=compared(version, entry.version(version.incumbent)),
            prompt=self._prompt(entry, version) if version.kind == "prompt" else None,
            uri=Ref("uri", version.uri, url=safe_url(version.uri)),
            **LIMITS,
        )

    def _prompt(self, entry: Entry, version: Version) -> prompts.Prompt | None:
        others = [
            (
                f"the version before, v{number}" if title == "before" else f"v{number} in {title}",
                other,
            )
            for title, number in (
                ("before", version.previous),
                (self.site.final_stage, version.incumbent),
            )
            if number and (other := entry.version(number))
        ]
        if len(others) > 1 and others[0][1] is others[1][1]:
            others.pop()
        return prompts.prompt_of(version, others, self._text)

    def _text(self, file: FileRow) -> str | None:
        """Return the text of a file of a prompt; None when it is no text, or not published."""
        if not self.texts.options.publishes("prompts") or file.size > prompts.MAX_TEXT:
            return None
        text = self.texts.text(file.sha256)
        return None if text is None or "\0" in text or "\ufffd" in text else text


def _section(kind: str) -> str:
    return f"{kind}s.html"


def _page_count(entry: Entry) -> int:
    last = entry.versions[0].number if entry.versions else 0
    return -(-last // paths.VERSIONS_A_PAGE)


def _values(version: Version, columns: tuple[GatedMetric, ...]) -> tuple[str, ...]:
    scores = (score_of(version, item.suite, item.task, item.metric) for item in columns)
    return tuple(double_text(score.value) if score else "" for score in scores)


def _ways(entry: Entry, site: Site) -> list[dict[str, str]]:
    stage = _stage_to_ask_for(entry, site)
    ref = f"{entry.name}@{stage}"
    api = f"{site.base_url.rstrip('/')}/" if site.base_url else "https://YOUR-SITE/"
    api += addresses.stage_of(entry.name, stage)
    return [
        {
            "title": "Command line",
            "text": f"regista resolve {quote(ref)}\nregista get {quote(ref)} ./artifacts",
        },
        {
            "title": "Python",
            "text": "import regista\n\nreg = regista.open()\n"
            f"found = reg.resolve({ref!r})\nreg.get({ref!r}, 'artifacts')",
        },
        {"title": "Any language", "text": f"curl {quote(api)}"},
    ]


def _stage_to_ask_for(entry: Entry, site: Site) -> str:
    """Return the last stage of the policy's order that holds something; else the last."""
    held = {slot.stage for slot in entry.slots if slot.version is not None}
    return next((stage for stage in reversed(site.stages) if stage in held), site.final_stage)


def script(name: str, value: object) -> bytes:
    """Return a classic script that hands data to a page; fetch is blocked on file://."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return f"window.{name}={text};\n".encode()
