"""Azure's connection strings, which the client does not read: `NAME=VALUE;…`, as its portal gives.

There is one with the account's key and a suffix, and one with a signature (SAS) and an endpoint
for each service; see
https://learn.microsoft.com/en-us/azure/storage/common/storage-configure-connection-string.
"""

from typing import Any

_NAMES = {
    "AccountName": "account_name",
    "AccountKey": "account_key",
    "BlobEndpoint": "endpoint",
    "SharedAccessSignature": "sas_key",
}


def settings(connection: str) -> dict[str, Any]:
    """Return the client's settings that a connection string gives; none for ''."""
    pairs = dict(part.partition("=")[::2] for part in connection.strip().split(";") if "=" in part)
    found = {ours: pairs[theirs] for theirs, ours in _NAMES.items() if pairs.get(theirs)}
    if "endpoint" in found:
        found["endpoint"] = found["endpoint"].rstrip("/")
        # the one with a signature names no account, which the client insists on
        found.setdefault("account_name", _account_of(found["endpoint"]))
    elif found.get("account_name") and pairs.get("EndpointSuffix"):
        protocol = pairs.get("DefaultEndpointsProtocol") or "https"
        host = f"{found['account_name']}.blob.{pairs['EndpointSuffix']}"
        found["endpoint"] = f"{protocol}://{host}"
    return found


def _account_of(endpoint: str) -> str:
    """Return the account in `https://ACCOUNT.blob.core.windows.net`, or an emulator's path."""
    host, _, path = endpoint.partition("://")[2].partition("/")
    return path or host.partition(".")[0]
