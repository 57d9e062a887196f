"""Building sites for tests, with the command that everybody uses."""

from pathlib import Path

from support.cli import Cli


def build_site(registry: Path, out: Path, *options: str, config: str = "") -> Path:
    """Build the site of a registry, and return its folder.

    Args:
        registry: folder of the registry.
        out: where to.
        options: further options of `regista site build`.
        config: content of a `regista.toml`, if there is to be one.
    """
    folder = out.parent / f"{out.name}.from"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "regista.toml").write_text(config, encoding="utf-8")
    command = ("--registry", str(registry), "site", "build", "--out", str(out), *options)
    ran = Cli(folder)(*command)
    assert ran.code == 0, ran.err
    return out
