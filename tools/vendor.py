"""Makes `site_templates/vendor/` from npm packages; with `--check`, only checks what is there.

`vendor.json` beside the files pins each package by version and by npm's own digest of its archive,
and each vendored file by its sha256. A file is either copied from a package or bundled from an
entry script by the pinned esbuild. `--check` needs no network; anything else needs npm and node.
"""
# ruff: noqa: INP001 - a script that people run, and no package

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parents[1] / "site_templates" / "vendor"
PINS = VENDOR / "vendor.json"


def main(argv: list[str]) -> int:
    """Make or check the vendored files; return 1 when any is not what its pin says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare what is there, offline")
    parser.add_argument("--pin", action="store_true", help="write the files' new digests")
    options = parser.parse_args(argv)
    pins = json.loads(PINS.read_text("utf-8"))
    if not options.check:
        with tempfile.TemporaryDirectory() as folder:
            _make(pins, Path(folder))
    if options.pin:
        for file in pins["files"]:
            file["sha256"] = _sha256(VENDOR / file["path"])
        PINS.write_text(json.dumps(pins, indent=2) + "\n", "utf-8")
    wrong = problems(pins)
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


def problems(pins: dict[str, Any]) -> list[str]:
    """Say what in the folder is not as pinned: changed, missing or unknown files."""
    known = {file["path"]: file["sha256"] for file in pins["files"]}
    there = {
        path.relative_to(VENDOR).as_posix(): _sha256(path)
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name not in {"vendor.json", "README.md"}
    }
    return [
        f"{path}: {'not pinned' if path not in known else 'missing or changed'}"
        for path in sorted(known.keys() | there.keys())
        if known.get(path) != there.get(path)
    ]


def _make(pins: dict[str, Any], folder: Path) -> None:
    modules = folder / "node_modules"
    for name, package in pins["packages"].items():
        _unpack(name, package, modules)
    for file in pins["files"]:
        target = VENDOR / file["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        if "entry" in file:
            target.write_bytes(_bundle(file, pins["bundler"], folder))
        else:
            target.write_bytes((modules / file["from"]).read_bytes())


def _unpack(name: str, package: dict[str, str], modules: Path) -> None:
    """Fetch one package's archive and unpack it, if it is the one that is pinned."""
    modules.mkdir(exist_ok=True)
    packed = subprocess.run(
        ["npm", "pack", "--silent", "--ignore-scripts", f"{name}@{package['version']}"],
        cwd=modules,
        check=True,
        capture_output=True,
        text=True,
    )
    archive = modules / packed.stdout.strip().splitlines()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package["integrity"]:
        raise SystemExit(f"{name} {package['version']}: its archive is not the one that is pinned")
    with tarfile.open(archive) as tar:
        tar.extractall(folder := modules / f".{name}", filter="data")
    (folder / "package").rename(modules / name)


def _bundle(file: dict[str, Any], bundler: dict[str, Any], folder: Path) -> bytes:
    """Bundle modules into one classic script, which runs from file:// too."""
    entry = folder / "entry.js"
    entry.write_text("\n".join(file["entry"]), "utf-8")
    command = ["npx", "--yes", f"esbuild@{bundler['version']}", "entry.js", *bundler["options"]]
    run = subprocess.run(
        [*command, f"--banner:js={file['banner']}"], cwd=folder, check=True, capture_output=True
    )
    return run.stdout


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
