"""A site that holds the SQL console alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from regista.model.tables import TABLES
from regista.registry.core import Registry
from regista.site.pages.sql_console import TEMPLATE, context, parquet_script

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "site_templates"
BASE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="{% block csp %}default-src 'none'{% endblock %}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{% block title %}{% endblock %}</title>
<link rel="icon" href="{{ root }}img/regista.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{ root }}css/regista.css">
{% block head %}{% endblock %}
</head>
<body>
<main id="content">{% block content %}{% endblock %}</main>
{% block scripts %}{% endblock %}
</body>
</html>
"""


def build(folder: Path, registry: Registry) -> None:
    """Write the page, what it loads, and the tables of a registry."""
    for part in ("css", "js", "img", "vendor"):
        shutil.copytree(TEMPLATES / part, folder / part, dirs_exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    tables = list(write_tables(folder, registry))
    base = folder / "templates"
    base.mkdir(exist_ok=True)
    (base / "base.html").write_text(BASE, "utf-8")
    loader = FileSystemLoader([base, TEMPLATES])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    page = environment.get_template(TEMPLATE).render(context("", tables))
    (folder / "sql.html").write_text(page, "utf-8")


def write_tables(folder: Path, registry: Registry) -> Iterator[dict[str, object]]:
    """Write each table as a Parquet file and as a script, and describe it."""
    con = registry.connection()
    for table in TABLES.values():
        name = f"data/{table.name}.parquet"
        con.execute(f"COPY {table.name} TO '{folder / name}' (FORMAT parquet, COMPRESSION zstd)")
        data = (folder / name).read_bytes()
        (folder / f"{name}.js").write_text(parquet_script(table.name, data) or "", "utf-8")
        yield {
            "name": table.name,
            "file": name,
            "bytes": len(data),
            "rows": con.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0],
            "grain": table.grain,
            "columns": table.columns,
        }
