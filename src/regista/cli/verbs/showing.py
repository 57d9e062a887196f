"""`show`: all that is known of an entry or a version. Answers from heads; mind the imports."""

from typing import Any

from regista.cli import output
from regista.cli.exits import ExitCode
from regista.cli.options import Call, as_of, command, entry_argument
from regista.cli.render import Page, ago, minute, number, plural, short, size, when

MOST_FILES = 20


@command(name="show", examples=("regista show fraud/card", "regista show fraud/card@prod"))
@entry_argument("subject", metavar="NAME[@SELECTOR]")
@as_of
def show(call: Call, subject: str, as_of: str | None) -> ExitCode:
    """Show all that is known of an entry or a version."""
    view = call.reading().show(subject, as_of=as_of)
    if view.get("status", "active") != "active":
        reason = f": {view['status_reason']}" if view["status_reason"] else ""
        output.warn(f"version {view['version']} is {view['status']}{reason}")
    call.answer(view, lambda page: (_version if "version" in view else _entry)(page, view))
    return ExitCode.DONE


def _entry(page: Page, view: dict[str, Any]) -> None:
    page.heading(f"{view['name']} ({view['kind']}, {plural(view['versions'], 'version')})")
    if view["description"]:
        page.prose(view["description"], 2)
    page.fields(
        [
            ("created", when(view["created"])),
            ("by", view["by"]),
            ("tags", _pairs(view["tags"])),
        ]
    )
    if view["stages"]:
        page.gap()
        page.table(
            ("STAGE", "VERSION", "SINCE (UTC)", "BY", "BACK TO", "LAST DRILL"),
            [_slot_row(stage, slot) for stage, slot in view["stages"].items()],
            right=("VERSION", "BACK TO"),
            keep=("SINCE (UTC)", "LAST DRILL"),
        )
    if view["aliases"]:
        page.gap()
        page.table(
            ("ALIAS", "VERSION", "SINCE (UTC)", "BY"),
            [
                (alias, item["version"], minute(item["since"]), item["by"])
                for alias, item in view["aliases"].items()
            ],
            right=("VERSION",),
            keep=("SINCE (UTC)",),
        )


def _slot_row(stage: str, slot: dict[str, Any]) -> tuple[object, ...]:
    held = "empty" if slot["version"] is None else slot["version"]
    back = slot["rollback_target"] or "-"
    drill = slot["last_drill"]
    drilled = f"{'ok' if drill['ok'] else 'failed'}, {ago(drill['time'])}" if drill else "never"
    return stage, held, minute(slot["since"]), slot["by"], back, drilled


def _version(page: Page, view: dict[str, Any]) -> None:
    label = f", {view['label']}" if view["label"] else ""
    page.heading(f"{view['name']} version {view['version']} ({view['kind']}{label})")
    if view["description"]:
        page.prose(view["description"], 2)
    status = f"{view['status']}, purged" if view["purged"] else view["status"]
    page.fields(
        [
            ("status", status),
            ("stages", ", ".join(view["stages"])),
            ("aliases", ", ".join(view["aliases"])),
            ("digest", short(view["digest"])),
            ("created", when(view["created"])),
            ("by", view["by"]),
            ("commit", view["seq"]),
            ("run", view["run"]),
            ("code", view["code"]),
            ("uri", view["uri"]),
            ("params", _pairs(view["params"])),
            ("tags", _pairs(view["tags"])),
            ("source", _pairs(view["source"])),
            *(
                (item["relation"], item["target"])
                for item in view["lineage"]
                if item["relation"] not in {"run", "code", "uri"}
            ),
        ]
    )
    _files(page, view)
    _signed(page, view)
    _evals(page, view["evals"])
    if view["card"]:
        page.heading("Card")
        page.prose(view["card"], 2)


def _files(page: Page, view: dict[str, Any]) -> None:
    if not view["files"]:
        return
    page.heading(f"{plural(view['files'], 'file')}, {size(view['bytes'])}")
    shown = view["artifacts"][:MOST_FILES]
    page.table(
        ("PATH", "SIZE", "DIGEST"),
        [(item["path"], size(item["size"]), short(item["sha256"])) for item in shown],
        right=("SIZE",),
    )
    if view["files"] > len(shown):
        page.line(f"and {view['files'] - len(shown):,} more: --json lists them", "dim")


def _signed(page: Page, view: dict[str, Any]) -> None:
    if view["approvals"]:
        page.heading("Approvals")
        page.table(
            ("STAGE", "BY", "GIVEN (UTC)", "UNTIL (UTC)", "MEANING"),
            [
                (
                    item["stage"],
                    item["by"],
                    minute(item["time"]),
                    minute(item["until"] or ""),
                    item["meaning"],
                )
                for item in view["approvals"]
            ],
            keep=("GIVEN (UTC)", "UNTIL (UTC)"),
            wrapped=("MEANING",),
            optional=("UNTIL (UTC)", "MEANING"),
        )
    if view["waivers"]:
        page.heading("Waivers")
        page.table(
            ("STAGE", "GATE", "BY", "UNTIL (UTC)", "REASON"),
            [
                (item["stage"], item["gate"], item["by"], minute(item["until"]), item["reason"])
                for item in view["waivers"]
            ],
            keep=("UNTIL (UTC)",),
            wrapped=("GATE", "REASON"),
        )


def _evals(page: Page, evals: dict[str, Any]) -> None:
    for suite, run in evals.items():
        dataset = f" on {run['dataset']}" if run["dataset"] else ""
        page.heading(f"Suite {suite}{dataset}")
        page.fields(
            [
                ("run", f"{run['run_id']}, {run['status']}, {when(run['time'])}"),
                ("by", run["by"]),
            ]
        )
        if run["main"]:
            page.gap()
            page.table(
                ("TASK", "METRIC", "VALUE", "STDERR", "N"),
                [
                    (
                        score["task"],
                        score["metric"],
                        _measured(score["value"]),
                        _measured(score["stderr"]),
                        score["n"],
                    )
                    for score in run["main"]
                ],
                right=("VALUE", "STDERR", "N"),
                optional=("TASK", "STDERR", "N"),
            )
        hidden = run["scores"] - len(run["main"])
        if hidden > 0:
            page.line(f"and {plural(hidden, 'more score')} of slices: regista eval show", "dim")


def _measured(text: str | None) -> str:
    return number(None if text is None else float(text))


def _pairs(pairs: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in pairs.items())
