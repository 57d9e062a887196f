"""Building the site of 1,000 and of 10,000 versions: in full, with nothing to do, with one more.

    python benchmarks/site.py [--sizes 1000 10000]

The floor, in the same run: rendering and writing as many pages from a trivial Jinja2 template, the
frame of a page with a table of ten rows. Registries are made through the public bulk import.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jinja2 import DictLoader, Environment, StrictUndefined
from measuring import PYTHON, REGISTA, heading, peak_of_all_mb, row

import regista

HERE = Path(__file__).parent
ENTRIES = 100
FRAME = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>{% block title %}{% endblock %}</title></head><body>
<nav><ul>{% for item in bar %}<li><a href="{{ root }}{{ item }}.html">{{ item }}</a></li>
{% endfor %}</ul></nav><main>{% block content %}{% endblock %}</main></body></html>"""
PAGE = """{% extends "frame" %}{% block title %}{{ name }}{% endblock %}
{% block content %}<h1>{{ name }}</h1><table>{% for key, value in rows %}
<tr><th>{{ key }}</th><td>{{ value }}</td></tr>{% endfor %}</table>{% endblock %}"""
BAR = ("overview", "models", "prompts", "datasets", "as-of", "drills", "gates", "audit", "sql")


def floor(count: int, folder: Path) -> float:
    """Return the seconds that as many trivial pages take."""
    environment = Environment(
        loader=DictLoader({"frame": FRAME, "page": PAGE}),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    started = time.perf_counter()
    for number in range(count):
        path = folder / str(number // 100) / f"{number}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [(f"key {i}", number * i) for i in range(10)]
        page = environment.get_template("page")
        path.write_bytes(page.render(name=f"v{number}", root="../", bar=BAR, rows=rows).encode())
    return time.perf_counter() - started


def build(registry: Path, out: Path) -> tuple[float, float, dict[str, int]]:
    """Build a site; return seconds, peak MB of all processes, and what the command says."""
    command = [*REGISTA, "--registry", str(registry), "site", "build", "--out", str(out)]
    taken, peak = peak_of_all_mb([*command, "--incremental"])
    manifest = {
        "files": sum(path.is_file() for path in out.rglob("*")),
        "pages": sum(1 for _ in out.rglob("*.html")),
        "largest": max(path.stat().st_size for path in out.rglob("*.html")),
    }
    return taken, peak, manifest


def again(registry: Path, out: Path) -> tuple[float, int]:
    """Build a site that is there; return seconds and the number of files written."""
    command = [*REGISTA, "--registry", str(registry), "--json", "site", "build", "--out", str(out)]
    started = time.perf_counter()
    done = subprocess.run([*command, "--incremental"], check=True, capture_output=True)
    return time.perf_counter() - started, int(json.loads(done.stdout)["written"])


def measure(versions: int, folder: Path) -> None:
    """Measure one size."""
    registry, out = folder / "registry", folder / "site"
    subprocess.run(
        [PYTHON, str(HERE / "generate.py"), str(registry), "--versions", str(versions),
         "--entries", str(ENTRIES)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    heading(f"{versions:,} versions in {ENTRIES} entries")
    full, peak, made = build(registry, out)
    least = min(floor(made["files"], folder / f"floor-{turn}") for turn in range(2))
    row(f"floor: {made['files']:,} trivial pages", f"{least:.1f} s", "1.00")
    row(
        f"full build: {made['files']:,} files, {made['pages']:,} of them pages",
        f"{full:.1f} s, {peak:.0f} MB",
        f"{full / least:.2f}",
        "at most 3 times the floor, under 300 MB",
    )
    row("largest page", f"{made['largest'] / 1000:.0f} kB")
    nothing, written = min(again(registry, out) for _ in range(3))
    row(
        f"nothing to do: {written} files written",
        f"{nothing:.2f} s",
        f"{nothing / full:.3f} of full",
        "under 0.03",
    )
    reg = regista.open(str(registry), actor="benchmark")
    name = reg.sql("SELECT entry FROM entries ORDER BY entry LIMIT 1").fetchall()[0][0]
    reg.register(name, uri="s3://bucket/one-more")
    once, written = again(registry, out)
    row(f"one version more: {written} files written", f"{once:.2f} s", f"{once / full:.2f} of full")


def main() -> None:
    """Run all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    options = parser.parse_args()
    for versions in options.sizes:
        with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".benchmark-") as scratch:
            measure(versions, Path(scratch))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
