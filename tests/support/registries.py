"""Small registries for tests: made in one call, with any policy, in memory or in a folder.

Policies are given as parsed values with decimals as texts, so no YAML is read. Versions are
registered from texts, so no artifact files have to be made on the way.
"""

from pathlib import Path
from typing import Any

from regista.decide.operations.context import Payload, Request
from regista.decide.policy_bundle import PolicyBundle
from regista.model import canonical
from regista.model.canonical import sha256_hex
from regista.model.commit import FORMAT
from regista.model.manifest import FileEntry, Manifest
from regista.read.opening import REGISTRY_KEY
from regista.read.replica import Replica
from regista.registry import requests
from regista.registry.core import Registry
from regista.registry.results import PolicyApplied, Registered
from regista.storage.blobs import put_blob_bytes
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.store import Store

Json = dict[str, Any]

REGISTRY_ID = "0123456789abcdef0123456789abcdef"
STAGES: Json = {
    "format": 1,
    "stages": ["dev", "staging", "prod"],
    "side_stages": ["shadow"],
    "on_register": "dev",
}
OPEN: Json = {**STAGES, "ungated": "allow", "rules": []}
GATED: Json = {
    **STAGES,
    "ungated": "refuse",
    "gated_aliases": ["champion"],
    "rules": [
        {
            "match": {},
            "stage": "staging",
            "gates": [{"threshold": {"suite": "holdout", "metric": "acc", "min": "0.8"}}],
        },
        {
            "match": {},
            "stage": "prod",
            "from": "staging",
            "gates": [
                {"baseline": {"suite": "holdout", "metric": "acc", "max_regression": "0.005"}}
            ],
        },
        {
            "match": {},
            "stage": "champion",
            "gates": [{"threshold": {"suite": "holdout", "metric": "acc", "min": "0.9"}}],
        },
    ],
}


def bundle_of(policy: Json) -> PolicyBundle:
    """Return a policy as it is stored."""
    return PolicyBundle.of(policy, {}, "")


def new_registry(
    policy: Json = OPEN,
    *,
    folder: Path | None = None,
    store: Store | None = None,
    actor: str = "ann",
) -> Registry:
    """Make a registry: in a folder, in any store, or else in a memory of its own."""
    place = store or (LocalStore(folder) if folder else MemoryStore("test"))
    header = {"format": FORMAT, "id": REGISTRY_ID}
    place.put_if_absent(REGISTRY_KEY, canonical.encode(header) + b"\n")
    registry = reopen(place, actor=actor)
    digest = put_blob_bytes(place, bundle_of(policy).data)
    registry.writer.run([Request("init", {"policy": digest})], txid=f"init-{REGISTRY_ID}")
    return registry


def reopen(store: Store, *, actor: str = "ann") -> Registry:
    """Return another view of a registry, as a process of its own would have it."""
    return Registry(Replica(store, REGISTRY_ID), actor=actor)


def artifact(store: Store, content: str) -> tuple[Manifest, Payload]:
    """Store a text as a version's only file; return the manifest with its row."""
    data = content.encode()
    digest = put_blob_bytes(store, data)
    manifest = Manifest((FileEntry("model.bin", len(data), digest),))
    put_blob_bytes(store, manifest.to_bytes())
    return manifest, Payload(
        {"files": [{"path": "model.bin", "size": len(data), "sha256": digest}]}
    )


def register_request(
    store: Store, name: str, content: str, *, force_new: bool = False, **options: Any
) -> Request:
    """Return the request to register a text as a version."""
    manifest, payload = artifact(store, content)
    given: Json = {"kind": None, "label": None, "run": None, "code": None, **options}
    relations = {key: given.pop(key, ()) for key in ("dataset", "base", "member")}
    return requests.register(
        name,
        manifest,
        relations=relations,
        params=given.pop("params", {}),
        tags=given.pop("tags", {}),
        card=given.pop("card", {}),
        source=given.pop("source", {}),
        force_new=force_new,
        payload=payload,
        **given,
    )


def register(
    registry: Registry, name: str, content: str, *, txid: str | None = None, **options: Any
) -> Registered:
    """Register a text as a version."""
    request = register_request(registry.replica.store, name, content, **options)
    result = registry.submit(request, txid)
    assert isinstance(result, Registered)
    return result


def apply_policy(registry: Registry, policy: Json, *, txid: str | None = None) -> PolicyApplied:
    """Put a policy in force."""
    digest = put_blob_bytes(registry.replica.store, bundle_of(policy).data)
    result = registry.submit(requests.apply_policy(digest, reason=""), txid)
    assert isinstance(result, PolicyApplied)
    return result


def digest_of(content: str) -> str:
    """Return the digest that a version made from a text has."""
    data = content.encode()
    return Manifest((FileEntry("model.bin", len(data), sha256_hex(data)),)).digest


def copy_of(store: Store) -> MemoryStore:
    """Return a store in memory with the same files."""
    copy = MemoryStore("copy")
    for key in store.list_after(""):
        copy.put(key, store.get(key) or b"")
    return copy
