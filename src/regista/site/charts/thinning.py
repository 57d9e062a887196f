"""Which of many points a chart draws: the extremes of every stretch, and those that matter."""

from collections.abc import Collection, Sequence

LIMIT = 150
"""Up to so many points, all are drawn."""
BUCKETS = 60
"""Stretches of a thinned series; of each, the lowest and the highest are drawn."""
NOTABLE = 60
"""So many of the points that matter are drawn beside, newest first."""


def kept(values: Sequence[float], notable: Collection[int] = ()) -> list[int]:
    """Return the indices of the points to draw, ascending: at most 2 + 2 BUCKETS + NOTABLE.

    Args:
        values: finite values in order.
        notable: indices to draw wherever they lie, the last NOTABLE of them.
    """
    count = len(values)
    if count <= LIMIT:
        return list(range(count))
    chosen = {0, count - 1, *sorted(notable)[-NOTABLE:]}
    for bucket in range(BUCKETS):
        stretch = range(bucket * count // BUCKETS, (bucket + 1) * count // BUCKETS)
        chosen.add(min(stretch, key=values.__getitem__))
        chosen.add(max(stretch, key=values.__getitem__))
    return sorted(chosen)
