"""`doctor`: a quick look at what commonly goes wrong with a registry, and what mends it."""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from regista.errors import RegistaError
from regista.read.replica import Replica

if TYPE_CHECKING:
    from regista.hooks.lifecycle import Lifecycle


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `doctor` looked at: `ok`, what it saw, and the command that mends it."""

    check: str
    ok: bool
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Result of `doctor`."""

    ok: bool
    findings: list[Finding] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return asdict(self)


class Diagnosing:
    """What `doctor` looks at, over a replica."""

    replica: Replica

    @property
    def hooks(self) -> "Lifecycle":
        """The lifecycle hooks of the registry."""
        raise NotImplementedError

    def doctor(self) -> Diagnosis:
        """Look at what commonly goes wrong, quickly; `verify` is the thorough look."""
        checks = (
            self._check_store,
            self._check_id,
            self._check_clock,
            self._check_log,
            self._check_tables,
            self._check_superseded,
            self._check_checkpoint,
            self._check_hooks,
        )
        findings = []
        for check in checks:
            try:
                findings.append(check())
            except RegistaError as error:
                name = check.__name__.removeprefix("_check_")
                findings.append(Finding(name, ok=False, detail=error.message, fix=error.hint))
        return Diagnosis(all(finding.ok for finding in findings), findings)

    def _check_store(self) -> Finding:
        from regista.storage.probing import probe

        probe(self.replica.store)
        return Finding("store", ok=True, detail="it creates a file exactly once")

    def _check_id(self) -> Finding:
        from regista.read.opening import require_own_id

        # who remembers the registry, or read its last commit, did not need that file
        require_own_id(self.replica)
        return Finding("id", ok=True, detail=self.replica.registry_id)

    def _check_clock(self) -> Finding:
        from regista.write import clocks

        ahead = clocks.how_far_ahead(self.replica.store)
        if ahead:
            detail = f"{clocks.in_words(ahead)}: only the way back is open"
            return Finding("clock", ok=False, detail=detail, fix=clocks.SET_IT)
        return Finding("clock", ok=True, detail="not ahead of the store's")

    def _check_log(self) -> Finding:
        state = self.replica.refresh()
        return Finding("log", ok=True, detail=f"commit {state.seq}, sha256 {state.digest}")

    def _check_tables(self) -> Finding:
        from regista.storage.tablefiles import tables_covered_to

        head = self.replica.refresh().seq
        covered = tables_covered_to(self.replica.store)
        if covered > head:
            return Finding(
                "tables",
                ok=False,
                detail=f"they reach beyond the log, to {covered}",
                fix="regista rebuild",
            )
        if covered < head:
            return Finding(
                "tables",
                ok=True,
                detail=f"{head - covered} commits wait in the log; that is"
                " fine, and the next commit writes them",
                fix="regista compact",
            )
        return Finding("tables", ok=True, detail=f"they cover all {head} commits")

    def _check_superseded(self) -> Finding:
        from regista.storage.cover import choose_cover
        from regista.storage.tablefiles import list_all

        extra = sum(
            len(choose_cover(spans).superseded) for spans in list_all(self.replica.store).values()
        )
        if extra:
            return Finding(
                "table files",
                ok=False,
                detail=f"{extra} are left over from an interrupted"
                " merge; a plain glob would count their rows twice",
                fix="regista compact",
            )
        return Finding("table files", ok=True, detail="none is superfluous")

    def _check_checkpoint(self) -> Finding:
        from regista.storage.checkpoint import load_latest

        head = self.replica.refresh().seq
        found = load_latest(self.replica.store, self.replica.log)
        behind = head - (found.seq if found else 0)
        if behind > 4 * 64:
            return Finding(
                "checkpoint",
                ok=False,
                detail=f"it is {behind} commits behind, so reads are slow",
                fix="regista compact",
            )
        return Finding("checkpoint", ok=True, detail=f"{behind} commits behind the head")

    def _check_hooks(self) -> Finding:
        from regista.decide.gates.findings import plural

        hooks = [hook for hook in self.hooks.states() if hook.when == "post"]
        for hook in hooks:
            if hook.failing:
                return Finding(
                    "hooks",
                    ok=False,
                    detail=f"{hook.id} fails since {hook.failing.since}: {hook.failing.error};"
                    f" {plural(hook.backlog, 'event')} waiting for it",
                    fix="regista hooks run",
                )
        waiting = sum(hook.backlog for hook in hooks)
        return Finding(
            "hooks",
            ok=True,
            detail=f"{plural(waiting, 'event')} waiting for {plural(len(hooks), 'post-hook')}",
            fix="regista hooks run" if waiting else "",
        )
