"""Operations at random, from a small world in which they often meet: for histories in tests."""

from collections.abc import Callable, Iterator
from random import Random

from regista.decide.operations.context import Payload, Request
from regista.errors import InvalidInputError, NotFoundError, RefusedError
from regista.registry import requests

NAMES = ("m", "n", "team/m")
STAGES = ("staging", "prod", "shadow")
MakeRegister = Callable[..., Request]


def run_at_random(
    submit: Callable[[list[Request]], object],
    make_register: MakeRegister,
    *,
    seed: int,
    commits: int,
) -> None:
    """Submit commits of one to four operations; those that cannot be done are passed over.

    Args:
        submit: commits a list of requests.
        make_register: gives a register request from a content, a name and options.
        seed: of the random choices.
        commits: how many to try.
    """
    choices = requests_at_random(Random(seed), make_register)
    dice = Random(seed + 1)
    submit([make_register(f"content {number}") for number in range(4)])
    submit([make_register("content 9", name) for name in NAMES])
    for _ in range(commits):
        asked = [next(choices) for _ in range(dice.choice((1, 1, 1, 1, 2, 3)))]
        try:
            submit(asked)
        except (InvalidInputError, NotFoundError, RefusedError):
            continue


def requests_at_random(dice: Random, make_register: MakeRegister) -> Iterator[Request]:
    """Yield requests without end; many of them make sense together."""
    makers = _makers(dice, make_register)
    weights = [weight for weight, _maker in makers]
    while True:
        [(_weight, maker)] = dice.choices(makers, weights)
        yield maker()


def _makers(dice: Random, make_register: MakeRegister) -> list[tuple[int, Callable[[], Request]]]:
    def name() -> str:
        return dice.choices(NAMES, (6, 2, 1))[0]

    def ref() -> str:
        selector = dice.choice(("1", "2", "3", "4", "latest", "latest", "prod", "prod~1"))
        return f"{name()}@{selector}"

    def subject() -> str:
        return dice.choice((name(), ref()))

    def register() -> Request:
        options = {
            "label": dice.choice((None, None, "1.0", "1.1")),
            "tags": dice.choice(({}, {"owner": "ann"})),
            "params": dice.choice(({}, {"depth": "3"})),
            "dataset": dice.choice(((), (), (ref(),))),
            "card": dice.choice(({}, {"card": "short"})),
        }
        content = f"content {dice.randrange(6)}"
        return make_register(content, name(), force_new=dice.random() < 0.2, **options)

    def log() -> Request:
        scores = [
            {"task": "", "metric": metric, "slice": slice_, "value": f"0.{dice.randrange(50, 99)}"}
            for metric in ("acc", "f1")
            for slice_ in ("", "class=3")
        ]
        return requests.eval_log(
            ref(),
            dice.choice(("holdout", "smoke")),
            status="complete",
            dataset="",
            facts={"harness": "h"},
            source_digest="d" * 64,
            payload=Payload({"eval_scores": scores}),
        )

    def promote() -> Request:
        again = dice.random() < 0.3
        return requests.promote(
            ref(), dice.choice(STAGES), again=again, reason="on purpose" if again else ""
        )

    def rollback() -> Request:
        to = dice.choice((None, None, None, 1, 2))
        return requests.rollback(name(), dice.choice(STAGES), to=to, reason="")

    def tag() -> Request:
        changes = {dice.choice(("owner", "risk")): dice.choice(("ann", "bob", ""))}
        return requests.tag(subject(), changes, ["risk"] if dice.random() < 0.2 else [])

    def describe() -> Request:
        text = dice.choice(({}, {"description": "about"}, {"description_digest": "a" * 64}))
        return requests.describe(subject(), text)

    def alias() -> Request:
        if dice.random() < 0.2:
            return requests.remove_alias(name(), dice.choice(("best", "old")))
        return requests.alias(ref(), dice.choice(("best", "old")))

    def status() -> Request:
        op = dice.choice(("deprecate", "restore", "restore", "archive", "delete"))
        return requests.status(op, ref(), reason="why")

    return [
        (8, register),
        (6, log),
        (9, promote),
        (4, rollback),
        (2, lambda: requests.demote(name(), dice.choice((*STAGES, "dev")), reason="")),
        (3, tag),
        (2, describe),
        (3, alias),
        (3, status),
        (1, lambda: requests.rename(name(), name())),
        (1, lambda: requests.create(name(), "model", {})),
    ]
