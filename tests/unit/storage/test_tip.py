import pytest

from regista.errors import IntegrityError
from regista.model import canonical
from regista.storage.tip import TIP_KEY, Tip, parse_tip

TIP = Tip(7, {"registry": "r", "heads": {"n/m": None}})


def test_a_tip_is_read_back_from_its_bytes() -> None:
    assert TIP_KEY == "checkpoints/tip.json"
    assert parse_tip(TIP.to_bytes()) == TIP


def test_a_tip_of_another_format_is_as_none() -> None:
    body = {"format": 99, "seq": 7, "said": {}}
    data = canonical.encode({**body, "digest": canonical.digest(body)})
    assert parse_tip(data) is None


@pytest.mark.parametrize("position", range(0, len(TIP.to_bytes()) - 1, 5))
def test_a_changed_byte_is_found(position: int) -> None:
    data = bytearray(TIP.to_bytes())
    data[position] ^= 1
    with pytest.raises(IntegrityError):
        parse_tip(bytes(data))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"digest": 1}', b"\xff"])
def test_what_is_no_tip_is_found(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        parse_tip(data)
