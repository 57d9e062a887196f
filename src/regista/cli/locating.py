"""Which registry a command means: option, environment, `regista.toml` upwards, `./registry_data`.

Nothing is opened here; whether a registry is there is for `regista.registry.opening` to say.
"""

import os
from collections.abc import Mapping
from typing import Any

from regista.errors import InvalidInputError
from regista.model.names import shown

CONFIG = "regista.toml"
DEFAULT = "registry_data"


def locate(given: str | None, environ: Mapping[str, str], folder: str) -> str:
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
    if environ.get("REGISTA_REGISTRY"):
        return environ["REGISTA_REGISTRY"]
    config = _find_config(folder)
    named = _named_in(config) if config else None
    return named or os.path.join(".", DEFAULT)  # noqa: PTH118 - the text is shown as it is


def _find_config(folder: str) -> str | None:
    # strings and not pathlib: this runs before every command, `resolve` included
    while True:
        path = os.path.join(folder, CONFIG)  # noqa: PTH118
        if os.path.isfile(path):  # noqa: PTH113
            return path
        parent = os.path.dirname(folder)  # noqa: PTH120
        if parent == folder:
            return None
        folder = parent


def _named_in(path: str) -> str | None:
    uri = _read(path).get("registry")
    if uri is None:
        return None
    if not isinstance(uri, str) or not uri:
        raise InvalidInputError(
            f"registry in {shown(path, 200)} is not a text", hint='write registry = "PATH"'
        )
    if "://" in uri:
        return uri
    # relative to the file, so that every folder of a project means the same registry
    beside = os.path.join(os.path.dirname(path), os.path.expanduser(uri))  # noqa: PTH111,PTH118,PTH120
    return os.path.normpath(beside)


def _read(path: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return tomllib.load(file)
    except OSError as error:
        raise InvalidInputError(f"cannot read {shown(path, 200)}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{shown(path, 200)} is not TOML: {error}") from error
