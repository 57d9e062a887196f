"""Signatures of webhooks, after the Standard Webhooks specification, symmetric scheme. Pure.

The signed text is `id.timestamp.body`, the signature `v1,` and the base64 of its HMAC-SHA256; a
secret is written `whsec_` and base64 of 24 to 64 bytes. Several secrets give several signatures,
so that a receiver may change its own at any time. Source: standardwebhooks.com, the specification's
sections "Signature scheme" and "Webhook headers".
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from regista.errors import InvalidInputError

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64


def secret_key(text: str, variable: str) -> bytes:
    """Return the key of a written secret.

    Args:
        text: `whsec_…`.
        variable: where it comes from, for messages, which never show the secret.

    Raises:
        InvalidInputError: not a secret, or of fewer than 24 or more than 64 bytes.
    """
    encoded = text.strip()
    try:
        if not encoded.startswith(PREFIX):
            raise ValueError  # noqa: TRY301 - one message for whatever is wrong with it
        bare = encoded.removeprefix(PREFIX)
        # receivers leave the padding out, and so may people
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise InvalidInputError(
            f"the variable {variable} holds no secret of a webhook",
            hint=f"write {PREFIX} and the base64 of {SHORTEST} to {LONGEST} random bytes",
        ) from None
    if not SHORTEST <= len(key) <= LONGEST:
        raise InvalidInputError(
            f"the secret in {variable} has {len(key)} bytes, not {SHORTEST} to {LONGEST}",
            hint="make one of 32 random bytes",
        )
    return key


def signed_headers(
    message_id: str, timestamp: int, body: bytes, keys: Sequence[bytes]
) -> dict[str, str]:
    """Return the three headers that go with a body.

    Args:
        message_id: the event's id, without a full stop.
        timestamp: seconds since 1970 of this attempt.
        body: the exact bytes that are sent.
        keys: the signing keys, the current one first.
    """
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(d).decode()}" for d in digests),
    }
