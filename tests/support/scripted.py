"""Registries made by a script: clock, ids and durations are the script's, so two runs are equal.

The script writes through the public API and bulk import. Only what a writer finds around itself
is set: the time, the transaction ids, the registry's id, and how long a drill took.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from regista.decide.operations.context import Payload, Request
from regista.model import canonical
from regista.model.commit import FORMAT
from regista.model.manifest import FileEntry, Manifest
from regista.model.times import format_time
from regista.read import drilling
from regista.read.opening import REGISTRY_KEY
from regista.read.replica import Replica
from regista.registry import core, requests
from regista.registry.core import Registry
from regista.registry.results import Decided, Registered, Written
from regista.storage.blobs import put_blob_bytes
from regista.storage.local import LocalStore
from regista.storage.store import Store
from regista.write import importing, transaction
from support.import_folders import Rows, write_folder
from support.registries import REGISTRY_ID

Contents = Mapping[str, str | bytes]
POLICIES = Path(__file__).parent / "site_policies"
STEP = timedelta(minutes=3)


class Clock:
    """Time that goes on by one step each time that it is asked for."""

    def __init__(self) -> None:
        self.moment = datetime(2025, 1, 6, 9, tzinfo=UTC)
        self._seconds = 0.0

    def now(self, _zone: object) -> datetime:
        self.moment += STEP
        return self.moment

    def monotonic(self) -> float:
        self._seconds += 0.25
        return self._seconds


class ScriptedRegistry(Registry):
    """A registry whose transactions are numbered."""

    asked = 0

    def submit_all(self, requests: Iterable[Request], txid: str | None = None) -> list[Written]:
        self.asked += 1
        return super().submit_all(list(requests), txid or f"step-{self.asked}")


class Script:
    """Writes a registry step by step.

    Args:
        registry: the registry.
        clock: its clock.
    """

    def __init__(self, registry: ScriptedRegistry, clock: Clock) -> None:
        self.registry = registry
        self.store: Store = registry.replica.store
        self._clock = clock

    def on(self, day: str, actor: str = "") -> None:
        """Go on to a later day, at nine in the morning, with another actor if one is given."""
        moment = datetime.fromisoformat(f"{day}T09:00:00+00:00")
        assert moment > self._clock.moment, day
        self._clock.moment = moment
        if actor:
            self.registry.writer.actor = actor

    def wait(self, days: float) -> None:
        """Let time go by."""
        self._clock.moment += timedelta(days=days)

    def time(self) -> str:
        """Return the time as it is recorded; it does not go on."""
        return format_time(self._clock.moment)

    def register(self, name: str, contents: Contents, **options: Any) -> Registered:
        """Register texts as the files of a version."""
        manifest, rows = put_files(self.store, contents)
        relations = {key: options.pop(key, ()) for key in ("dataset", "base", "member")}
        request = requests.register(
            name,
            manifest,
            kind=options.pop("kind", None),
            label=options.pop("label", None),
            run=options.pop("run", None),
            code=options.pop("code", None),
            relations=relations,
            params=options.pop("params", {}),
            tags=options.pop("tags", {}),
            card=self.registry.preparing.text("card", options.pop("card", "")),
            source=options.pop("source", {}),
            force_new=options.pop("force_new", False),
            payload=Payload({"files": rows}),
            allow_secrets=True,
        )
        assert not options, options
        result = self.registry.submit(request)
        assert isinstance(result, Registered)
        return result

    def promote(self, ref: str, stage: str, expect: str = "passed", **options: Any) -> Decided:
        """Ask for a stage; the outcome must be what the script's author expects."""
        result = self.registry.promote(ref, stage, **options)
        assert str(result.outcome) == expect, result
        return result

    def refuse(self, ref: str, stage: str, *statuses: str) -> None:
        """Ask for a stage and be refused, with these statuses among the verdicts."""
        gates = self.promote(ref, stage, expect="refused").gates
        assert set(statuses) <= {gate["status"] for gate in gates}, gates

    def policy(self, name: str, reason: str) -> None:
        """Put a policy of `site_policies` in force."""
        self.registry.apply_policy(POLICIES / f"{name}.yaml", reason=reason)

    def load(self, tables: dict[str, Rows], source: str) -> None:
        """Bring rows in by bulk import."""
        with TemporaryDirectory() as folder:
            target = write_folder(Path(folder) / "import", tables)
            self.registry.import_bulk(target, source=source, txid=f"import-{len(source)}")


def put_files(store: Store, contents: Contents) -> tuple[Manifest, Rows]:
    """Store files with their manifest; return it with a row for each."""
    files = []
    for path, content in contents.items():
        data = content if isinstance(content, bytes) else content.encode()
        files.append(FileEntry(path, len(data), put_blob_bytes(store, data)))
    manifest = Manifest(tuple(files))
    put_blob_bytes(store, manifest.to_bytes())
    rows = [{"path": item.path, "size": item.size, "sha256": item.sha256} for item in files]
    return manifest, rows


@contextmanager
def scripted(root: Path, policy: str, actor: str = "ann") -> Iterator[Script]:
    """Make a registry in a folder and give it to the script that fills it."""
    clock = Clock()
    with ExitStack() as stack:
        for module in (transaction, importing, core):
            stack.enter_context(patch.object(module, "datetime", clock))
        stack.enter_context(patch.object(drilling, "time", clock))
        store = LocalStore(root)
        header = {"format": FORMAT, "id": REGISTRY_ID}
        store.put_if_absent(REGISTRY_KEY, canonical.encode(header) + b"\n")
        registry = ScriptedRegistry(Replica(store, REGISTRY_ID), actor=actor)
        digest = registry.preparing.policy(POLICIES / f"{policy}.yaml")
        registry.writer.run([Request("init", {"policy": digest})], txid=f"init-{REGISTRY_ID}")
        yield Script(registry, clock)
        assert registry.writer.warnings == []
