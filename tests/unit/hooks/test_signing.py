"""Signatures after Standard Webhooks, held to the vectors that its libraries are tested with."""

import base64
import hashlib
import hmac

import pytest

from regista.errors import InvalidInputError
from regista.hooks.signing import secret_key, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def test_the_vector_of_the_reference_libraries() -> None:
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        [secret_key(SECRET, "SECRET")],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_secret_signs_so_that_one_can_be_changed() -> None:
    keys = [secret_key(SECRET, "A"), secret_key(OTHER, "B")]
    signatures = signed_headers("msg_1", 7, b"{}", keys)["webhook-signature"].split(" ")
    assert len(signatures) == 2
    for key, signature in zip(keys, signatures, strict=True):
        version, _comma, value = signature.partition(",")
        assert version == "v1"
        expected = hmac.new(key, b"msg_1.7.{}", hashlib.sha256).digest()
        assert base64.b64decode(value) == expected


def test_a_secret_may_be_without_its_padding() -> None:
    key = bytes(range(25))
    text = "whsec_" + base64.b64encode(key).decode().rstrip("=")
    assert secret_key(text + "\n", "A") == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_not base64 at all, as it has spaces",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
    ],
)
def test_what_is_no_secret_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        secret_key(text, "MY_SECRET")
    told = caught.value.message + caught.value.hint
    assert "MY_SECRET" in told
    assert not text or text.removeprefix("whsec_") == "" or text not in told
