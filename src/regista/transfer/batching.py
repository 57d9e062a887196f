"""Cutting streams into lists, as `itertools.batched` does from Python 3.12 on."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def batched(items: Iterable[Item], count: int) -> Iterator[list[Item]]:
    """Yield lists of `count` items, the last of what is left."""
    rest = iter(items)
    while batch := list(islice(rest, count)):
        yield batch
