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
    return (_named_in(config, read_config(config)) if config else None) or DEFAULT


def find_config(folder: Path) -> Path | None:
    """Return the `regista.toml` that counts in a folder: its own, or the nearest above it."""
    candidates = (place / CONFIG for place in (folder, *folder.parents))
    return next((config for config in candidates if config.is_file()), None)


def config_for(config: Path, key: str, uri: str) -> dict[str, Any]:
    """Return a `regista.toml` that has something under a key for a registry; else nothing.

    A file that names another registry has nothing: the hooks of a project are not run for a copy
    of its registry, or for somebody else's.

    Args:
        config: the file.
        key: what is asked for.
        uri: the registry; it is compared by what it is, not by how it is written.

    Raises:
        InvalidInputError: the file is malformed.
    """
    content = read_config(config)
    if key not in content:
        return {}
    from regista.storage.opening import store_uri

    named = _named_in(config, content)
    return content if named is None or store_uri(named) == store_uri(uri) else {}


def _named_in(config: Path, content: Mapping[str, Any]) -> str | None:
    uri = content.get("registry")
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


def read_config(config: Path) -> dict[str, Any]:
    """Return what a `regista.toml` says.

    Raises:
        InvalidInputError: it cannot be read, or is malformed.
    """
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
