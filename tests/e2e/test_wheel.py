"""The wheel: it holds what the program needs, and works where nothing for developers is there."""

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

# one worker runs all of them, and what they stand on is made once
pytestmark = pytest.mark.xdist_group("wheel")
ROOT = Path(__file__).parents[2]


def runtime_distributions() -> dict[str, Distribution]:
    """Return the distributions that an installation without extras brings, by name."""
    found: dict[str, Distribution] = {}
    pending = list(distribution("regista").requires or ())
    while pending:
        requirement = pending.pop()
        if "extra ==" in requirement:
            continue
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower()
        try:
            item = distribution(name)
        except PackageNotFoundError:
            # required on another platform, or by another version of Python
            continue
        if name not in found:
            found[name] = item
            pending += item.requires or ()
    return found


def link_distributions(folder: Path) -> None:
    """Fill a folder with links to the runtime's packages, so that nothing is downloaded twice."""
    for item in runtime_distributions().values():
        for top in {file.parts[0] for file in item.files or () if file.parts[0] != ".."}:
            target = Path(str(item.locate_file(top)))
            if target.exists() and not (folder / top).exists():
                (folder / top).symlink_to(target)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            folder,
            ROOT,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    [built] = folder.glob("regista-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own; return the folder of its programs."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    programs = folder / "venv" / "bin"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--quiet",
            "--disable-pip-version-check",
            "--python",
            programs / "python",
            "install",
            "--no-deps",
            "--no-index",
            wheel,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    packages = folder / "packages"
    packages.mkdir()
    link_distributions(packages)
    [site] = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "runtime.pth").write_text(f"{packages}\n")
    return programs


def regista(installed: Path, folder: Path, *arguments: str) -> str:
    """Run the installed program; return what it prints."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "REGISTA_ACTOR": "ada"}
    done = subprocess.run(
        [installed / "regista", *arguments],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"regista {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_wheel_holds_every_file_of_the_package_that_is_no_bytecode(wheel: Path) -> None:
    source = ROOT / "src"
    expected = {
        str(path.relative_to(source))
        for path in (source / "regista").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected |= {
        f"regista/{path.relative_to(ROOT)}"
        for path in (ROOT / "site_templates").rglob("*")
        if path.is_file()
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == expected
    assert {
        "regista/py.typed",
        "regista/policyfile/default.yaml",
        "regista/sql/leaderboard.sql",
        "regista/site_templates/registry/entry.html",
        "regista/site/api/schemas/entry.json",
    } <= packed


def test_the_whole_job_works_from_the_wheel_without_anything_for_developers(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    regista(installed, tmp_path, "init")
    regista(installed, tmp_path, "register", "fraud/card", "model.bin")
    regista(installed, tmp_path, "eval", "log", "fraud/card@1", "--suite", "s", "--metric", "a=1")
    regista(installed, tmp_path, "promote", "fraud/card@1", "--to", "staging")
    regista(installed, tmp_path, "promote", "fraud/card@1", "--to", "prod")
    assert regista(installed, tmp_path, "resolve", "fraud/card@prod") == "1\n"
    query = "SELECT version FROM leaderboard WHERE rank = 1"
    assert regista(installed, tmp_path, "sql", query, "--format", "csv") == "version\n1\n"
    assert json.loads(regista(installed, tmp_path, "verify", "--json"))["ok"]
    regista(installed, tmp_path, "site", "build")
    for page in ("index.html", "entries/fraud~-card/v/1.html", "guide/index.html"):
        assert (tmp_path / "site" / page).is_file()


def test_the_installed_package_is_the_wheels_and_not_the_source_tree(
    installed: Path, tmp_path: Path
) -> None:
    code = "import regista; print(regista.__file__)"
    done = subprocess.run(
        [installed / "python", "-c", code],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert Path(done.stdout.strip()).is_relative_to(installed.parent)


def test_developers_packages_are_out_of_reach_of_the_installed_program(
    installed: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [installed / "python", "-c", "import pytest"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert "ModuleNotFoundError" in done.stderr
