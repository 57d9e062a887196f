"""The registry in the repository: one run of the demo, which must verify wherever it is cloned."""

from pathlib import Path

import regista

COMMITTED = Path(__file__).parents[2] / "registry_data"


def test_the_committed_registry_verifies_and_says_who_is_in_prod() -> None:
    registry = regista.open(str(COMMITTED))
    verification = registry.verify(deep=True)
    assert verification.problems == []
    assert verification.commits == registry.replica.refresh().seq
    assert registry.resolve("digits/classifier@prod").version == 2
