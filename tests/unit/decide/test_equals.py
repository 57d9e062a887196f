"""Equal versions: the right one counts whatever was deleted, and the lists stay short."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from regista.decide import equals, keys
from regista.decide.state import Overlay
from support.history import history_with, manifest_of, register

DIGESTS = ("a" * 64, "a" * 8 + "b" * 56, "c" * 64)
Happening = tuple[str, int]
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 2)),
        st.tuples(st.just("delete"), st.integers(1, 30)),
    ),
    max_size=60,
)


class Model:
    """What should come out, by looking at all versions."""

    def __init__(self) -> None:
        self.digests: dict[int, str] = {}
        self.deleted: set[int] = set()
        self.heads = Overlay(lambda _key: None)

    def happen(self, what: str, number: int) -> None:
        if what == "add":
            version = len(self.digests) + 1
            equals.add(self.heads, "e", DIGESTS[number], version, self.deleted.__contains__)
            self.digests[version] = DIGESTS[number]
        elif number in self.digests and number not in self.deleted:
            self.deleted.add(number)
            digest = self.digests[number]
            equals.delete(self.heads, "e", digest, number, self.deleted.__contains__)

    def expected(self, digest: str) -> int | None:
        equal = [version for version, other in self.digests.items() if other == digest]
        live = [version for version in equal if version not in self.deleted]
        return max(live or equal, default=None)

    def listed(self, digest: str) -> list[equals.Item]:
        items = self.heads.get(keys.equals("e", digest)) or []
        return [item for item in items if item[0] == digest]


@given(happenings)
def test_the_newest_that_was_not_deleted_counts(steps: list[Happening]) -> None:
    model = Model()
    for step in steps:
        model.happen(*step)
        for digest in DIGESTS:
            items = model.listed(digest)
            assert len(items) <= 1
            found = equals.counting(items, model.deleted.__contains__) if items else None
            assert found == model.expected(digest)


@given(st.integers(0, 8), happenings)
def test_lists_of_an_older_regista_read_and_go_on_alike(old: int, steps: list[Happening]) -> None:
    model = Model()
    items = []
    for version in range(1, old + 1):
        model.digests[version] = DIGESTS[0]
        items.append([DIGESTS[0], version])
        if version % 3 == 0:
            model.deleted.add(version)
    if items:
        model.heads.put(keys.equals("e", DIGESTS[0]), items)
    for step in steps:
        model.happen(*step)
        for digest in DIGESTS:
            found = model.listed(digest)
            assert len(found) <= max(1, old)
            counting = equals.counting(found, model.deleted.__contains__) if found else None
            assert counting == model.expected(digest)


def test_a_deletion_passes_over_each_deleted_version_once() -> None:
    looked: list[int] = []
    model = Model()
    for _ in range(200):
        model.happen("add", 0)
    for version in range(1, 200, 2):
        model.happen("delete", version)
    is_deleted: Callable[[int], bool] = model.deleted.__contains__
    for version in range(200, 0, -2):
        model.deleted.add(version)
        equals.delete(
            model.heads,
            "e",
            DIGESTS[0],
            version,
            lambda number: looked.append(number) or is_deleted(number),  # type: ignore[func-returns-value]
        )
    assert len(looked) <= 200


def test_equal_versions_made_on_purpose_are_one_item() -> None:
    history = history_with(1)
    for _ in range(30):
        history.do(register("content 1", force_new=True))
    digest = manifest_of("content 1").digest
    key = keys.equals(history.entry().entry_id, digest)
    assert history.state.heads.get(key) == [[digest, 31]]
