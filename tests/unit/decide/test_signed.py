"""Approvals and waivers as heads: what replaces what, and what a gate kind reads by default."""

from fakes.case import FakeCase, score
from regista.decide import signed
from regista.decide.binding import bind
from regista.decide.gates.reading import all_on_record, run_rows, slot_row
from regista.decide.heads import MAX_SIGNED, ApprovalHead, VersionHead
from regista.decide.policy import Policy
from regista.model import canonical

DIGESTS = {"version_digest": "v", "rules_digest": "r", "evidence_digest": "e"}


def approved(seq: int, by: str, **row: str) -> ApprovalHead:
    return signed.approval_of(seq, "t", by, {"table": "approvals", **DIGESTS, **row})


def test_an_approval_replaces_the_same_persons_of_the_same_stage_and_meaning() -> None:
    items: signed.Approvals = ()
    for item in (
        approved(1, "ann", stage="prod"),
        approved(2, "bob", stage="prod"),
        approved(3, "ann", stage="staging"),
        approved(4, "ann", stage="prod", meaning="read"),
        approved(5, "ANN", stage="prod"),
    ):
        items = signed.with_approval(items, item)
    assert [item.seq for item in items] == [2, 3, 4, 5]


def test_approvals_of_two_policies_stand_beside_each_other() -> None:
    registry = signed.with_policy_approval({"entries": 1}, approved(1, "ann"))
    registry = signed.with_policy_approval(registry, approved(2, "ann", version_digest="w"))
    registry = signed.with_policy_approval(registry, approved(3, "ann"))
    assert [item.seq for item in signed.policy_approvals(registry)] == [2, 3]
    assert signed.without_policy_approvals(registry) == {"entries": 1}


def test_a_head_keeps_the_newest_only() -> None:
    approvals: signed.Approvals = ()
    waivers: signed.Waivers = ()
    for number in range(MAX_SIGNED + 3):
        approvals = signed.with_approval(approvals, approved(number, f"p{number}", stage="prod"))
        row = {"table": "waivers", "stage": "prod", "gate": f"g{number}", "reason": "", "until": ""}
        waivers = signed.with_waiver(waivers, signed.waiver_of(number, "t", "ann", row))
    assert [item.seq for item in approvals] == list(range(3, MAX_SIGNED + 3))
    assert [item.seq for item in waivers] == list(range(3, MAX_SIGNED + 3))


def test_heads_come_back_from_json_and_without_any_have_no_field_for_them() -> None:
    head = VersionHead("e1-0", 1, "d", 1, "t", "ann")
    assert not {"approvals", "waivers"} & set(head.to_json())
    assert VersionHead.from_json(head.to_json()) == head
    row = {"table": "waivers", "stage": "prod", "gate": "g", "reason": "r", "until": "u"}
    signed_head = VersionHead(
        "e1-0", 1, "d", 1, "t", "ann",
        approvals=(approved(1, "ann", stage="prod"),),
        waivers=(signed.waiver_of(2, "t", "ann", row),),
    )  # fmt: skip
    text = canonical.encode(signed_head.to_json())
    assert VersionHead.from_json(canonical.decode(text)) == signed_head


def test_a_kind_that_says_nothing_reads_all_that_is_on_record_but_signatures() -> None:
    case = FakeCase()
    case.log(2, "holdout", score("acc", "0.9", stderr="0.1", n=3, higher=True))
    case.hold("staging", 2)
    before = canonical.digest(all_on_record({}, case))
    case.add(2, approvals=(approved(1, "ann", stage="prod"),))
    assert canonical.digest(all_on_record({}, case)) == before
    case.version.tags["a"] = "b"
    after = canonical.digest(all_on_record({}, case))
    assert after != before
    case.hold("staging", 1)
    assert canonical.digest(all_on_record({}, case)) != after


def test_rows_of_what_is_not_there() -> None:
    case = FakeCase()
    assert run_rows(case, case.version, "holdout") == []
    assert slot_row("prod", None) == {"stage": "prod", "version": None, "seq": None}


def test_the_order_of_gates_and_a_row_read_twice_do_not_change_the_evidence() -> None:
    gates = [
        {"freshness": {"suite": "holdout", "max_age": "7d"}},
        {"soak": {"stage": "staging", "min": "1d"}},
    ]

    def digest(*order: object) -> str:
        rules = [{"stage": "prod", "gates": list(order)}]
        policy = Policy.from_json({"format": 1, "stages": ["staging", "prod"], "rules": rules})
        case = FakeCase()
        case.log(2, "holdout", score("acc", "0.9"))
        return bind(policy.rules, case, {}).evidence

    assert digest(*gates) == digest(*gates[::-1]) == digest(*gates, gates[0])
    assert digest(gates[0]) != digest(*gates)
