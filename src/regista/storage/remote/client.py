"""The client of an object store: made from a location and the environment, by obstore.

Credentials, regions and endpoints come by each cloud's own conventions, most of which the client
knows itself: environment variables, instance and workload identity, Google's and Azure's login
files. What it does not know is added here: AWS profiles, Azure connection strings, endpoints
without TLS. Nothing of it is kept by Regista, or shown in a message.
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from regista.errors import InvalidInputError, StorageError
from regista.model.names import shown
from regista.storage.remote.clouds import AZURE, GCS, S3, Cloud
from regista.storage.remote.location import Location
from regista.version import __version__

if TYPE_CHECKING:
    from obstore.store import ObjectStore

TIMEOUT = "REGISTA_STORE_TIMEOUT"
RETRIES = "REGISTA_STORE_RETRIES"
_DEFAULT_TIMEOUT_S = 60
_DEFAULT_RETRIES = 6
_MOST = 86_400
_CONNECT_TIMEOUT_S = 10
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
# of anything else that a URL may be, the client panics rather than complain
_ENDPOINT = re.compile(
    r"https?://(?:[^\s/?#@]+@)?(?:[\w.-]+|\[[\dA-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?"
    r"(?:/[\w.~%!$&'()*+,;=:@/-]*)?",
    re.ASCII,
)
_LAST_PORT = 65_535


def make_client(where: Location) -> "ObjectStore":
    """Return a client for a bucket and prefix; nothing is asked of the store yet.

    Args:
        where: bucket and prefix.

    Raises:
        InvalidInputError: the client is not installed, or a setting is malformed.
        StorageError: the store cannot be used with what the environment says.
    """
    environ = os.environ
    try:
        import obstore.store as stores
        from obstore.exceptions import BaseError
    except ImportError as error:
        extra = where.cloud.extra
        raise InvalidInputError(
            f"{shown(str(where))} needs the client for {where.cloud.name}, which is not installed",
            hint=f"pip install 'regista[{extra}]'",
        ) from error
    _refuse_line_breaks(where.cloud, environ)
    settings = _settings(where.cloud, environ)
    endpoint = _endpoint(where.cloud, settings, environ)
    options: dict[str, Any] = {
        "prefix": where.prefix or None,
        "client_options": _client_options(endpoint, environ),
        "retry_config": _retry_config(environ),
    }
    class_ = {
        S3.scheme: stores.S3Store,
        GCS.scheme: stores.GCSStore,
        AZURE.scheme: stores.AzureStore,
    }
    make: Any = class_[where.cloud.scheme]
    try:
        client: ObjectStore = make(where.bucket, **options, **settings)
    except (ValueError, TypeError, OSError, BaseError) as error:
        raise _unusable(error, where) from error
    return client


def endpoint_url(where: Location) -> str:
    """Return the URL that the store of a location is reached at.

    Raises:
        InvalidInputError: AWS's files, or the endpoint, are malformed.
    """
    settings = _settings(where.cloud, os.environ)
    given = _endpoint(where.cloud, settings, os.environ)
    if given:
        return given
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    account = settings.get("account_name") or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME", "")
    return where.cloud.endpoint.format(
        region=region or settings.get("region", "us-east-1"), account=account
    )


def _settings(cloud: Cloud, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what the client would not find out by itself."""
    if cloud is S3:
        from regista.storage.remote import aws

        return aws.settings(environ)
    if cloud is AZURE:
        from regista.storage.remote import azure

        return azure.settings(environ.get(AZURE.endpoint_source, ""))
    return {}


def _endpoint(cloud: Cloud, settings: dict[str, Any], environ: Mapping[str, str]) -> str:
    """Return the endpoint that was asked for; '' for the cloud's own. It is put into settings."""
    name = "base_url" if cloud is GCS else "endpoint"
    source = next((v for v in cloud.endpoint_variables if environ.get(v)), "")
    if source:
        settings[name] = environ[source].rstrip("/")
    url = str(settings.get(name, ""))
    match = _ENDPOINT.fullmatch(url)
    if url and (match is None or int(match["port"] or 0) > _LAST_PORT):
        # without what may be a password
        raise InvalidInputError(
            f"{source or cloud.endpoint_source} names no endpoint: {shown(url.rpartition('@')[2])}",
            hint="write https://HOST or http://HOST:PORT, and nothing behind it",
        )
    return url


def _refuse_line_breaks(cloud: Cloud, environ: Mapping[str, str]) -> None:
    """Refuse what is put into headers and cannot be, such as a key with the end of its line."""
    for name in cloud.in_headers:
        if not environ.get(name, "").isprintable():
            raise InvalidInputError(
                f"{name} has a line break or another control character in it",
                hint=f"set {name} without it",
            )


def _client_options(endpoint: str, environ: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "timeout": timedelta(seconds=_number(environ, TIMEOUT, _DEFAULT_TIMEOUT_S, least=1)),
        "connect_timeout": timedelta(seconds=_CONNECT_TIMEOUT_S),
        "user_agent": f"regista/{__version__}",
    }
    if endpoint.startswith("http://"):
        options["allow_http"] = True
    return options


def _retry_config(environ: Mapping[str, str]) -> dict[str, Any]:
    timeout = _number(environ, TIMEOUT, _DEFAULT_TIMEOUT_S, least=1)
    return {
        "max_retries": _number(environ, RETRIES, _DEFAULT_RETRIES, least=0),
        "retry_timeout": timedelta(seconds=timeout),
        "backoff": {
            "init_backoff": timedelta(seconds=_FIRST_PAUSE_S),
            "max_backoff": timedelta(seconds=_LONGEST_PAUSE_S),
            "base": 2,
        },
    }


def _number(environ: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= _MOST:
        raise InvalidInputError(
            f"{name} is {shown(text)}, not a number from {least} to {_MOST}",
            hint=f"unset {name}, or set it to {default}",
        )
    return int(text)


def _unusable(error: Exception, where: Location) -> StorageError:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return StorageError(
        f"cannot use {shown(str(where), 200)}: {shown(first, 200)}", hint=where.cloud.credentials
    )
