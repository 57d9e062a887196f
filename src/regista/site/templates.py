"""Where the templates lie, and a digest of them; it imports nothing heavy."""

from pathlib import Path

import regista
from regista.model.canonical import sha256_hex

TEMPLATES = "site_templates"


def shipped_templates() -> Path:
    """Return the folder of the templates that come with Regista."""
    package = Path(regista.__file__).parent
    # an editable installation has them where the repository does
    installed = package / TEMPLATES
    return installed if installed.is_dir() else package.parent.parent / TEMPLATES


def templates_digest(*folders: Path | None) -> str:
    """Return a digest of all files in some folders: other templates make another site."""
    parts = []
    for folder in folders:
        if folder is None:
            continue
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder).as_posix()
            parts.append(f"{name} {sha256_hex(path.read_bytes())}")
    return sha256_hex("\n".join(parts).encode())
