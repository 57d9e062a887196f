"""Operations in any order, through two views of one registry, against a model made of dictionaries.

Set REGISTA_CAMPAIGN=1 for the long version.
"""

import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from regista.errors import NotFoundError, RegistaError, TxidReusedError
from regista.registry.core import Registry
from regista.registry.results import Written
from support.model import STAGES, Model, same_error
from support.registries import GATED, OPEN, apply_policy, new_registry, register, reopen

LONG = bool(os.environ.get("REGISTA_CAMPAIGN"))
SETTINGS = settings(
    max_examples=400 if LONG else 14,
    stateful_step_count=80 if LONG else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

names = st.sampled_from(("m", "m", "m", "team/n"))
contents = st.sampled_from(("a", "b", "c", "d"))
# which of the versions that there are; the last choice is one that there is not
picks = st.integers(0, 8)
placed_stages = st.sampled_from(("staging", "prod", "prod", "shadow"))
stages = st.sampled_from(STAGES)
views = st.integers(0, 1)
scores = st.sampled_from(("0.7", "0.8", "0.81", "0.804", "0.9"))
txids = st.none() | st.integers(0, 5).map("t{}".format)

Call = Callable[[Registry, str | None], Written]


class RegistryMachine(RuleBasedStateMachine):
    """One registry, two views of it, and the model."""

    @initialize(gated=st.booleans(), accs=st.tuples(scores, scores, scores))
    def begin(self, gated: bool, accs: tuple[str, ...]) -> None:  # noqa: FBT001 - drawn
        self.model = Model(gated=gated)
        first = new_registry(GATED if gated else OPEN)
        self.views = [first, reopen(first.replica.store, actor="bob")]
        self.done: dict[str, tuple[Call, Written]] = {}
        self.remembered: list[tuple[int, Model]] = []
        # so that there is something to go back to from the first step on
        for number, acc in enumerate(accs):
            self.register(0, None, "m", "abc"[number], force_new=False)
            self.log_eval(1, None, "m", number, acc)
            for stage in ("staging", "prod"):
                self.promote(number % 2, None, "m", number, stage, again=False)

    def _pick(self, name: str, pick: int) -> int:
        there = sorted(self.model.entries[name].versions) if name in self.model.entries else []
        return there[pick % len(there)] if there and pick < 8 else 99

    def _barred(self) -> list[tuple[str, str, int]]:
        return [
            (name, stage, sorted(entry.versions).index(number))
            for name, entry in self.model.entries.items()
            for stage, barred in entry.barred.items()
            for number in sorted(barred)
        ]

    def _unheld(self) -> list[tuple[str, int]]:
        return [
            (name, pick)
            for name, entry in self.model.entries.items()
            for pick, number in enumerate(sorted(entry.versions))
            if not entry.stages_of(number)
        ]

    def _can_go_back(self) -> bool:
        return any(
            len(stack) > 1
            for entry in self.model.entries.values()
            for stack in entry.stacks.values()
        )

    def _do(self, view: int, txid: str | None, call: Call, expected: Callable[[], Any]) -> Any:
        """Run a call, and the model's; both succeed, or both raise the same kind of error."""
        if txid in self.done:
            txid = None
        commits = self.model.commits
        mine = theirs = None
        wanted = result = None
        try:
            wanted = expected()
        except RegistaError as error:
            mine = error
        try:
            result = call(self.views[view], txid)
        except RegistaError as error:
            theirs = error
        assert same_error(mine, theirs), (mine, theirs)
        if result is not None and self.model.commits > commits:
            assert result.seq == self.model.commits
            if txid is not None:
                self.done[txid] = (call, result)
        return result, wanted

    @rule(view=views, txid=txids, name=names, content=contents, force_new=st.booleans())
    def register(
        self,
        view: int,
        txid: str | None,
        name: str,
        content: str,
        force_new: bool,  # noqa: FBT001
    ) -> None:
        result, wanted = self._do(
            view, txid,
            lambda registry, txid: register(
                registry, name, content, force_new=force_new, txid=txid
            ),
            lambda: self.model.register(name, content, force_new=force_new),
        )  # fmt: skip
        assert (result.version, result.created) == wanted

    @rule(view=views, txid=txids, name=names, pick=picks, acc=scores)
    def log_eval(self, view: int, txid: str | None, name: str, pick: int, acc: str) -> None:
        number = self._pick(name, pick)
        self._do(
            view, txid,
            lambda registry, txid: registry.log_eval(
                f"{name}@{number}", "holdout", {"acc": acc}, txid=txid
            ),
            lambda: self.model.log_eval(name, number, Decimal(acc)),
        )  # fmt: skip

    @rule(view=views, txid=txids, name=names, pick=picks, stage=placed_stages, again=st.booleans())
    def promote(
        self,
        view: int,
        txid: str | None,
        name: str,
        pick: int,
        stage: str,
        again: bool,  # noqa: FBT001
    ) -> None:
        number = self._pick(name, pick)
        result, wanted = self._do(
            view, txid,
            lambda registry, txid: registry.promote(
                f"{name}@{number}", stage, again=again, reason="why", txid=txid
            ),
            lambda: self.model.promote(name, number, stage, again=again),
        )  # fmt: skip
        if result is not None:
            assert result.outcome == wanted

    @precondition(_can_go_back)
    @rule(view=views, txid=txids, data=st.data())
    def go_back_where_it_is_possible(
        self, view: int, txid: str | None, data: st.DataObject
    ) -> None:
        ways = [
            (name, stage)
            for name, entry in self.model.entries.items()
            for stage, stack in entry.stacks.items()
            if len(stack) > 1
        ]
        name, stage = data.draw(st.sampled_from(ways))
        self.rollback(view, txid, name, stage, data.draw(st.none() | st.integers(0, 7)))

    @rule(view=views, name=names, pick=st.integers(0, 7), acc=scores)
    def improve_and_promote(self, view: int, name: str, pick: int, acc: str) -> None:
        self.log_eval(view, None, name, pick, acc)
        for stage in ("staging", "prod"):
            self.promote(1 - view, None, name, pick, stage, again=bool(pick % 3))

    @precondition(lambda self: self._barred())
    @rule(view=views, data=st.data())
    def bring_back_what_was_rolled_away(self, view: int, data: st.DataObject) -> None:
        name, stage, pick = data.draw(st.sampled_from(self._barred()))
        for again in (False, data.draw(st.booleans())):
            self.promote(view, None, name, pick, stage, again=again)

    @precondition(lambda self: self._unheld())
    @rule(view=views, data=st.data(), op=st.sampled_from(("archive", "delete", "deprecate")))
    def take_out_of_use_and_go_back(self, view: int, data: st.DataObject, op: str) -> None:
        name, pick = data.draw(st.sampled_from(self._unheld()))
        self.alias(view, None, name, pick)
        self.change_status(1 - view, None, name, pick, op)
        if self._can_go_back():
            self.go_back_where_it_is_possible(view, None, data)

    @rule(view=views, name=names)
    def promote_to_the_stage_that_register_fills(self, view: int, name: str) -> None:
        self._do(
            view, None,
            lambda registry, txid: registry.promote(f"{name}@1", "dev", txid=txid),
            lambda: self.model.promote(name, 1, "dev", again=False),
        )  # fmt: skip

    @rule(view=views, txid=txids, name=names, stage=stages)
    def demote(self, view: int, txid: str | None, name: str, stage: str) -> None:
        self._do(
            view, txid,
            lambda registry, txid: registry.demote(name, stage, txid=txid),
            lambda: self.model.demote(name, stage),
        )  # fmt: skip

    @rule(
        view=views, txid=txids, name=names, stage=placed_stages, pick=st.none() | st.none() | picks
    )
    def rollback(
        self, view: int, txid: str | None, name: str, stage: str, pick: int | None
    ) -> None:
        to = None if pick is None else self._pick(name, pick)
        result, wanted = self._do(
            view, txid,
            lambda registry, txid: registry.rollback(name, stage, to=to, txid=txid),
            lambda: self.model.rollback(name, stage, to),
        )  # fmt: skip
        if result is not None:
            assert result.to_version == wanted

    @rule(
        view=views,
        txid=txids,
        name=names,
        pick=picks,
        op=st.sampled_from(("deprecate", "restore", "archive", "delete")),
    )
    def change_status(self, view: int, txid: str | None, name: str, pick: int, op: str) -> None:
        number = self._pick(name, pick)
        self._do(
            view, txid,
            lambda registry, txid: getattr(registry, op)(f"{name}@{number}", txid=txid),
            lambda: self.model.change_status(op, name, number),
        )  # fmt: skip

    @rule(view=views, txid=txids, name=names, pick=picks)
    def alias(self, view: int, txid: str | None, name: str, pick: int) -> None:
        number = self._pick(name, pick)
        self._do(
            view, txid,
            lambda registry, txid: registry.alias(f"{name}@{number}", "best", txid=txid),
            lambda: self.model.alias(name, number, "best"),
        )  # fmt: skip

    @rule(view=views, name=names)
    def remove_alias(self, view: int, name: str) -> None:
        self._do(
            view, None,
            lambda registry, txid: registry.remove_alias(name, "best", txid=txid),
            lambda: self.model.remove_alias(name, "best"),
        )  # fmt: skip

    @rule(view=views, name=names, pick=picks, value=st.sampled_from(("", "x")))
    def tag(self, view: int, name: str, pick: int, value: str) -> None:
        number = self._pick(name, pick)
        self._do(
            view, None,
            lambda registry, txid: registry.tag(f"{name}@{number}", {"k": value}, txid=txid),
            lambda: self.model.tag(name, number, "k", value),
        )  # fmt: skip

    @rule(view=views, name=names, to=names)
    def rename(self, view: int, name: str, to: str) -> None:
        self._do(
            view, None,
            lambda registry, txid: registry.rename(name, to, txid=txid),
            lambda: self.model.rename(name, to),
        )  # fmt: skip

    @rule(view=views, gated=st.booleans())
    def apply_policy(self, view: int, gated: bool) -> None:  # noqa: FBT001
        self._do(
            view, None,
            lambda registry, txid: apply_policy(registry, GATED if gated else OPEN, txid=txid),
            lambda: self.model.apply_policy(gated=gated),
        )  # fmt: skip

    @precondition(lambda self: self.done)
    @rule(view=views, data=st.data())
    def repeat_a_transaction(self, view: int, data: st.DataObject) -> None:
        txid = data.draw(st.sampled_from(sorted(self.done)))
        call, result = self.done[txid]
        assert call(self.views[view], txid) == result

    @precondition(lambda self: self.done)
    @rule(view=views, data=st.data())
    def use_a_transaction_id_for_something_else(self, view: int, data: st.DataObject) -> None:
        txid = data.draw(st.sampled_from(sorted(self.done)))
        with pytest.raises(TxidReusedError):
            self.views[view].create("never made", txid=txid)

    @rule()
    def compact(self) -> None:
        self.views[0].compact()

    @rule()
    def remember_this_moment(self) -> None:
        self.remembered.append((self.model.commits, self.model.snapshot()))

    @invariant()
    def both_views_say_what_the_model_says(self) -> None:
        for registry in self.views:
            assert registry.replica.refresh().seq == self.model.commits
            check(registry, self.model)

    def teardown(self) -> None:
        if not hasattr(self, "views"):
            return
        result = reopen(self.views[0].replica.store).verify(deep=True)
        assert result.problems == []
        assert result.commits == self.model.commits
        for seq, model in self.remembered[:: max(1, len(self.remembered) // 2)]:
            check(self.views[1], model, as_of=seq)


def check(registry: Registry, model: Model, as_of: int | None = None) -> None:
    """Compare all that a registry says with the model."""
    for name in ("m", "team/n"):
        if name not in model.entries:
            with pytest.raises(NotFoundError):
                registry.show(name, as_of=as_of)
            continue
        entry = model.entries[name]
        view = registry.show(name, as_of=as_of)
        assert view["versions"] == len(entry.versions)
        held = {stage: slot["version"] for stage, slot in view["stages"].items()}
        assert {**dict.fromkeys(STAGES), **held} == entry.slots
        assert {alias: item["version"] for alias, item in view["aliases"].items()} == entry.aliases
        state = registry.state(as_of)
        for stage in STAGES:
            slot = state.slot(view["entry_id"], stage)
            assert (slot.stack, set(slot.barred)) == (entry.stacks[stage], entry.barred[stage])
            holder = entry.slots[stage]
            if holder is not None:
                assert registry.resolve(f"{name}@{stage}", as_of=as_of).version == holder
        for number, version in entry.versions.items():
            head = state.version(state.entry(name), number)
            run = head.runs.get("holdout")
            acc = Decimal(run.main[0][2]) if run else None
            assert (str(head.status), head.tags, acc) == (
                version.status, version.tags, version.acc,
            )  # fmt: skip


def test_a_registry_does_what_the_model_does_in_any_order_of_operations() -> None:
    run_state_machine_as_test(RegistryMachine, settings=SETTINGS)
