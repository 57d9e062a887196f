"""Which registry a command means: option, environment, `regista.toml` upwards, `./registry_data`.

Nothing is opened here; whether a registry is there is for `regista.registry.opening` to say.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.model.names import shown

CONFIG = "regista.toml"
VARIABLE = "REGISTA_REGISTRY"
DEFAULT = "registry_data"


def locate(given: str | None, environ: Mapping[str, str], folder: Path) -> str:
    """Return the URI of the registry that is meant.

    Args:
        given: what `--registry` says.
        environ: the environment.
        folder: where to look for `regista.toml`, upwards.

    Raises:
        InvalidInputError: `regista.toml` is malformed.
    """
    if given:
        return given
    if environ.get(VARIABLE):
        return environ[VARIABLE]
    config = find_config(folder)
    return (_named_in(config) if config else None) or DEFAULT


def find_config(folder: Path) -> Path | None:
    """Return the `regista.toml` that counts in a folder: its own, or the nearest above it."""
    candidates = (place / CONFIG for place in (folder, *folder.parents))
    return next((config for config in candidates if config.is_file()), None)


def _named_in(config: Path) -> str | None:
    uri = _read(config).get("registry")
    if uri is None:
        return None
    if not isinstance(uri, str) or not uri:
        raise InvalidInputError(
            f"registry in {shown(str(config), 200)} is not a text",
            hint='write registry = "PATH"',
        )
    if "://" in uri:
        return uri
    try:
        # relative to the file, so that every folder of a project means the same registry
        return str(config.parent / Path(uri).expanduser())
    except RuntimeError as error:
        raise InvalidInputError(f"registry in {shown(str(config), 200)}: {error}") from error


def _read(config: Path) -> dict[str, Any]:
    import tomllib

    try:
        with config.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InvalidInputError(
            f"cannot read {shown(str(config), 200)}: {error.strerror}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{shown(str(config), 200)} is not TOML: {error}") from error
