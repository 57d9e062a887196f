"""A key filter: says of most keys that are not in a set that they are not, without the set.

A Bloom filter (B. Bloom, 1970) over the 8-byte hashes that runs are sorted by. With 8 bits for
each key and 5 probes, 2 % of the keys that are not in the set pass. The probes are the halves of
the hash, combined (Kirsch and Mitzenmacher, 2006).
"""

from collections.abc import Iterable

_BITS_PER_KEY = 8
_PROBES = 5
_HALF = 32
_LOW = (1 << _HALF) - 1


def make_filter(hashes: Iterable[bytes], count: int) -> bytes:
    """Return the filter of `count` keys, by their 8-byte hashes; empty for no keys."""
    bits = count * _BITS_PER_KEY
    data = bytearray((bits + 7) // 8)
    for hash_ in hashes:
        for bit in _probes(hash_, bits):
            data[bit >> 3] |= 1 << (bit & 7)
    return bytes(data)


def may_hold(filter_: bytes, hash_: bytes) -> bool:
    """Say whether a key of this hash may be in the set; False is certain."""
    bits = len(filter_) * 8
    return bits > 0 and all(filter_[bit >> 3] >> (bit & 7) & 1 for bit in _probes(hash_, bits))


def _probes(hash_: bytes, bits: int) -> Iterable[int]:
    number = int.from_bytes(hash_, "big")
    # an odd step, or a hash could probe one bit five times
    first, step = number >> _HALF, number & _LOW | 1
    return [(first + i * step) % bits for i in range(_PROBES)]
