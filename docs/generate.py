"""Writes the parts of the pages that restate code; with `--check`, says which are stale.

A page marks such a part with `<!-- generated: NAME -->` and `<!-- end generated -->`; what stands
between is replaced. `docs/cli.md` is generated as a whole. Prose is never touched.
"""
# ruff: noqa: INP001 - a script beside the pages that it writes, and no package

import inspect
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

from regista import errors
from regista.cli.exits import MEANINGS, exit_code_of
from regista.cli.reference import reference
from regista.decide import heads
from regista.decide.gates import describing
from regista.decide.policy_reference import generated_parts
from regista.evalformats.finding import BUILT_IN, adapter_of
from regista.model.tables import COMMON_COLUMNS, TABLES, Column
from regista.policyfile import case_fields
from regista.read.sqlfiles import VIEWS, load
from regista.registry.adding import Adding
from regista.registry.importing import Imports
from regista.registry.writes import Writes
from regista.site.api.registry import SCHEMAS
from regista.write.import_tables import IMPORT_TABLES, NEEDED

DOCS = Path(__file__).parent
# what the gates say is shown on the registries that tests replay
sys.path.insert(0, str(DOCS.parent / "tests"))
SOURCE = DOCS.parent / "src" / "regista"
CLI_PAGE = "cli.md"
COMMON = len(COMMON_COLUMNS)
LAYERS = (
    "cli",
    "cli/verbs",
    "site",
    "site/pages",
    "site/charts",
    "site/api",
    "registry",
    "verify",
    "hooks",
    "write",
    "read",
    "storage",
    "storage/remote",
    "policyfile",
    "evalformats",
    "decide",
    "decide/operations",
    "decide/gates",
    "decide/statistics",
    "model",
)
HEADS = {
    "entry `n/…`": heads.EntryHead,
    "version `v/…`": heads.VersionHead,
    "stack `s/…`": heads.SlotHead,
    "*pointer*": heads.Pointer,
    "*lineage*": heads.LineageHead,
    "*run*": heads.RunHead,
    "*drill*": heads.DrillHead,
    "*approval*": heads.ApprovalHead,
    "*waiver*": heads.WaiverHead,
}
API_DOCUMENTS = {
    "pointer": "`entries/{entry}/stages/{stage}.json`, `entries/{entry}/aliases/{alias}.json`",
    "stage": "`stages/{stage}.json`",
    "index": "`index.json`",
    "entry": "`entries/{entry}/index.json`",
    "version": "`entries/{entry}/versions/{version}.json`",
    "events": "`events.json`",
    "policy": "`policy.json`",
    "drills": "`drills.json`",
}
RULE = (
    "The candidate holds another stage now. It is a rule's `from` and no gate, so that nobody can"
    " waive it."
)
_BLOCK = re.compile(r"(<!-- generated: ([\w -]+) -->\n).*?(<!-- end generated -->)", re.DOTALL)


def parts() -> dict[str, Callable[[], str]]:
    """Return what makes each generated part, by name."""
    texts = {**generated_parts(), **policy_tests()}
    policy = {name: lambda text=text: text for name, text in texts.items()}
    return {
        **policy,
        "contracts": contracts,
        "packages": packages,
        "exit-codes": exit_codes,
        "writes": writes,
        "errors": error_classes,
        "views": views,
        "common-columns": lambda: _columns(next(iter(TABLES.values())).columns[:COMMON]),
        "tables": tables,
        "table-columns": table_columns,
        "heads": head_fields,
        "import-tables": import_tables,
        "api-documents": api_documents,
        "hook-payload": hook_payload,
        "eval-formats": eval_formats,
        "gate-verdicts": gate_verdicts,
    }


def policy_tests() -> dict[str, str]:
    """List what each mapping of a policy's test file may hold."""
    mappings = {
        "file": case_fields.FILE_FIELDS,
        "version": case_fields.VERSION_FIELDS,
        "run": case_fields.RUN_FIELDS,
        "score": case_fields.SCORE_FIELDS,
        "approval": case_fields.APPROVAL_FIELDS,
        "waiver": case_fields.WAIVER_FIELDS,
        "drill": case_fields.DRILL_FIELDS,
    }
    named = {f"test {name} fields": describing.table(fields) for name, fields in mappings.items()}
    return {"test fields": describing.table(case_fields.TEST_FIELDS), **named}


def contracts() -> str:
    """List the import contracts of the project file."""
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))
    return "".join(f"- {item['name']}.\n" for item in project["tool"]["importlinter"]["contracts"])


def packages() -> str:
    """Tell each package's purpose, by the first line of its docstring."""
    rows = [
        (f"`src/regista/{path}/`", _first_line(SOURCE / path / "__init__.py")) for path in LAYERS
    ]
    return _table(("folder", "holds"), rows)


def _first_line(path: Path) -> str:
    match = re.match(r'r?"""(.+?)(?:\n\n|""")', path.read_text("utf-8"), re.DOTALL)
    if match is None:
        raise ValueError(f"{path} has no docstring")
    return " ".join(match[1].split())


def exit_codes() -> str:
    """Tell the exit codes."""
    return _table(("code", "meaning"), ((str(code.value), text) for code, text in MEANINGS.items()))


def writes() -> str:
    """Tell the writing methods of a registry."""
    methods = [
        (name, method)
        for name, method in {**vars(Adding), **vars(Writes), **vars(Imports)}.items()
        if inspect.isfunction(method)
        and not name.startswith("_")
        and name != "submit"
        and "txid" in inspect.signature(method).parameters
    ]
    return _table(
        ("method", "does"),
        ((f"`{name}({_positional(method)})`", _does(method)) for name, method in methods),
    )


def _positional(method: Callable[..., Any]) -> str:
    """Return the parameters that may stand without a name; `…` for the others."""
    shown, more = [], False
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            shown.append(f"*{parameter.name}")
        elif parameter.kind is parameter.KEYWORD_ONLY:
            more = more or parameter.name != "txid"
        else:
            shown.append(parameter.name)
    return ", ".join([*shown, *(["…"] if more else [])])


def _does(item: object) -> str:
    text = inspect.getdoc(item) or ""
    return " ".join(text.partition("\n\n")[0].split())


def error_classes() -> str:
    """Tell the error classes with their code and exit code."""
    found = [
        item
        for item in vars(errors).values()
        if inspect.isclass(item) and issubclass(item, errors.RegistaError)
    ]
    rows = []
    for item in found[1:]:
        error = item.__new__(item)
        rows.append(
            (f"`{item.__name__}`", f"`{item.code}`", str(int(exit_code_of(error))), _does(item))
        )
    return _table(("class", "code", "exit", "means"), rows)


def views() -> str:
    """Tell the views: what they answer, their grain and their columns."""
    rows = [
        (
            f"`{view.name}`",
            f"{view.summary} One row per {view.grain}.",
            ", ".join(view.columns),
        )
        for view in map(load, VIEWS)
    ]
    return _table(("view", "what", "columns"), rows)


def tables() -> str:
    """Tell the tables with their own columns and what these mean."""
    return "\n".join(
        f"### {table.name}\n\nOne row per {table.grain}.\n\n{_columns(table.columns[COMMON:])}"
        for table in TABLES.values()
    )


def table_columns() -> str:
    """Tell the tables' own columns with types, and their order, for who writes them."""
    rows = []
    for table in TABLES.values():
        columns = ", ".join(f"{column.name} {column.type}" for column in table.columns[COMMON:])
        rows.append((f"`{table.name}`", columns, ", ".join(table.order)))
    return _table(("table", "own columns", "sorted by"), rows)


def head_fields() -> str:
    """Tell the fields of the state's values."""
    rows = []
    for name, class_ in HEADS.items():
        hints = get_type_hints(class_)
        fields = ", ".join(f"{field} {_json_type(hints[field])}" for field in hints)
        rows.append((name, fields))
    return _table(("value", "fields"), rows)


def import_tables() -> str:
    """Tell the files that an import reads: their columns and what a row must be."""
    sections = []
    for table in IMPORT_TABLES.values():
        rows = [
            (
                f"**`{field.name}`**" if field.needed else f"`{field.name}`",
                field.type,
                field.rule.message,
            )
            for field in table.fields
        ]
        need = " It must be there." if table.name in NEEDED else ""
        unique = ", ".join(table.grain)
        sections.append(
            f"### {table.file}\n\nOne row per {unique}.{need}\n\n"
            f"{_table(('column', 'type', 'must be'), rows)}"
        )
    return "\n".join(sections)


_PLAIN_TYPES = {
    "str": "string",
    "int": "integer",
    "bool": "boolean",
    "int | None": "integer or null",
    "dict[str, str]": "object of strings",
    "list[int]": "array of integers",
    "DrillHead | None": "*drill* or null",
    "tuple[ApprovalHead, ...]": "array of *approval*, absent when empty",
    "tuple[WaiverHead, ...]": "array of *waiver*, absent when empty",
    "list[LineageHead]": "array of *lineage*",
    "dict[str, Pointer]": "object of *pointer* by name",
    "dict[str, RunHead]": "object of *run* by suite",
    "tuple[list[Any], ...]": "array of `[task, metric, value, stderr, n, higher_is_better]`",
}


def _json_type(hint: object) -> str:
    text = hint.__name__ if isinstance(hint, type) and "[" not in str(hint) else str(hint)
    return _PLAIN_TYPES[re.sub(r"\b(?:regista\.decide\.heads|typing)\.", "", text)]


def _columns(columns: Iterable[Column]) -> str:
    return _table(
        ("column", "type", "meaning"),
        ((f"`{column.name}`", column.type, column.doc) for column in columns),
    )


def eval_formats() -> str:
    """Tell the formats of eval files that ship with Regista."""
    rows = ((f"`{name}`", adapter_of(name).about) for name in BUILT_IN)
    return _table(("format", "reads"), rows)


def gate_verdicts() -> str:
    """Show each kind of gate in each status that it has, as `check` tells it."""
    from support.gate_examples import STORIES

    return "\n".join(map(_story, STORIES))


def _story(story: Any) -> str:  # noqa: ANN401 - of the tests
    from tempfile import TemporaryDirectory

    from regista.cli.gates import draw_check
    from regista.cli.render import Page, Terminal
    from regista.decide.gates.registry import KINDS
    from support.gate_examples import UNDECIDABLE, told

    about = KINDS[story.kind].summary if story.kind in KINDS else RULE
    parts = [f"### {story.kind}", about, f"```yaml\n{_says(story)}\n```"]
    with TemporaryDirectory() as folder, told(story, Path(folder)) as (_script, found):
        for item in found:
            page = Page(Terminal(80))
            draw_check(page, item.checked)
            parts.append(f"```\n$ regista check {item.ref} --to prod\n{page}\n```")
    if UNDECIDABLE not in story.acts:
        parts.append("It reads nothing that could be missing, so it is never undecidable.")
    return "\n\n".join(parts) + "\n"


def _says(story: Any) -> str:  # noqa: ANN401 - of the tests
    return story.says if story.rule else f"- {story.says}"


def api_documents() -> str:
    """Tell the documents of the site's JSON API with their fields, from their schemas."""
    sections = []
    for kind, files in API_DOCUMENTS.items():
        schema = json.loads((SCHEMAS / f"{kind}.json").read_text("utf-8"))
        rows = _schema_rows(schema, schema.get("$defs", {}), "")
        sections.append(
            f"### {schema['title']}\n\n{files}\n\n{schema['description']}\n\n"
            f"{_table(('field', 'type', 'meaning'), rows)}"
        )
    return "\n".join(sections)


def hook_payload() -> str:
    """Tell the fields of what a hook gets, from their schema."""
    schema = json.loads((DOCS / "hooks.schema.json").read_text("utf-8"))
    return _table(("field", "type", "meaning"), _schema_rows(schema, {}, ""))


def _schema_rows(
    schema: dict[str, Any], defs: dict[str, Any], prefix: str
) -> Iterator[tuple[str, str, str]]:
    """Give field, type and meaning of each property, those of objects in it after it."""
    for name, value in schema["properties"].items():
        if name == "$schema":
            continue
        field = f"{prefix}{name}"
        found = _dereferenced(value, defs)
        yield f"`{field}`", _schema_type(value, defs), value["description"]
        inner, path = found, f"{field}."
        if "items" in found:
            inner, path = _dereferenced(found["items"], defs), f"{field}[]."
        elif isinstance(found.get("additionalProperties"), dict):
            inner, path = _dereferenced(found["additionalProperties"], defs), f"{field}.*."
        if "properties" in inner:
            yield from _schema_rows(inner, defs, path)


def _dereferenced(schema: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    return defs[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _schema_type(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    """Tell a type in a word: text, time, list of … ."""
    found = _dereferenced(schema, defs)
    if "anyOf" in found:
        return " or ".join(_schema_type(item, defs) for item in found["anyOf"])
    if "items" in found:
        return f"list of {_schema_type(found['items'], defs)}"
    if isinstance(found.get("additionalProperties"), dict):
        return f"object of {_schema_type(found['additionalProperties'], defs)}"
    if found.get("format") == "date-time":
        return "time"
    types = found.get("type", "string")
    named = [types] if isinstance(types, str) else types
    text = "address" if "format" in found else "text"
    return " or ".join(text if type_ == "string" else type_ for type_ in named)


def _table(headers: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headers, tuple("---" for _ in headers), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join(
        f"| {' | '.join(line)} |\n".replace("| --- ", "|---").replace("--- |", "---|")
        for line in cells
    )


def pages() -> Iterator[tuple[Path, str]]:
    """Give each page that has generated parts, with its text as it should be."""
    made = parts()
    yield DOCS / CLI_PAGE, reference()
    for page in sorted(DOCS.glob("**/*.md")):
        text = page.read_text("utf-8")
        if page.name != CLI_PAGE and _BLOCK.search(text):
            yield (
                page,
                _BLOCK.sub(
                    lambda match: f"{match[1]}\n{made[match[2]]().strip()}\n\n{match[3]}", text
                ),
            )


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` name those that are not as they should be."""
    stale = [
        (page, text)
        for page, text in pages()
        if not page.exists() or page.read_text("utf-8") != text
    ]
    for page, text in stale:
        name = page.relative_to(DOCS.parent)
        if "--check" in arguments:
            sys.stderr.write(f"{name} is not what the code says; run: make docs\n")
        else:
            page.write_text(text, "utf-8")
            sys.stdout.write(f"{name} written\n")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
