"""What an object store, or the way to it, refuses, in words: the one mapping to `StorageError`.

The client raises few types and puts the rest into text: the HTTP status, and the store's answer
with its error code (`<Code>NoSuchBucket</Code>`). Both are read from there. Messages are one line
and name the bucket; no URL is repeated, as it may carry a signature.
"""

import re
from dataclasses import dataclass

from regista.errors import StorageError
from regista.model.names import shown
from regista.storage.remote.clouds import Cloud
from regista.storage.remote.location import Location

_STATUS = re.compile(r"status code: (\d{3})|status: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_REGION = re.compile(r"<Region>([a-z0-9-]{1,40})</Region>|expecting '([a-z0-9-]{1,40})'")
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound"})
_BAD_LOGIN = {
    "InvalidAccessKeyId": "the access key is not known there",
    "SignatureDoesNotMatch": "the secret key does not fit the access key",
    "ExpiredToken": "the session token has expired",
    "TokenRefreshRequired": "the session token has expired",
    "InvalidToken": "the session token is malformed",
    "AuthenticationFailed": "the account key or token is not accepted",
    "InvalidAuthenticationInfo": "the account key or token is not accepted",
    "AuthenticationRequired": "it asks for credentials",
}
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
_WRONG_REGION = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
_FULL = frozenset({"QuotaExceeded", "EntityTooLarge", "AccountBeingCreated", "StorageFull"})
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_RANGE_NOT_SATISFIABLE = 416
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_REDIRECTS = frozenset({301, 302, 307, 308})
# after these a write may have been done all the same, or be done by a later try of the client's
_UNCLEAR = frozenset({408, 409, 412, 425, 429})
_RETRIED = re.compile(r"after \d+ retr")
_NEVER_SENT = "kind: Connect"
# where clients ask for credentials when they were given none
_NO_CREDENTIALS = re.compile(
    r"//169\.254\.|//metadata\.google|//sts\.|token request|[Cc]redentials? (?:file|provider)"
)
# what a program of a profile's that gives credentials was said to have done, by way of the client
_GAVE_NONE = re.compile(r"credential provider: StorageError: (.+)")
ASK_BY_HAND = "run it by hand, or aws sso login"


@dataclass(frozen=True, slots=True)
class Answer:
    """What can be read from an exception of the client: HTTP status (0: none) and error code."""

    status: int
    code: str
    text: str

    @classmethod
    def of(cls, error: BaseException) -> "Answer":
        """Read an exception."""
        text = str(error)
        status, code = _STATUS.search(text), _CODE.search(text)
        number = int(status[1] or status[2]) if status else 0
        return cls(number, code[1] if code else "", text)

    @property
    def no_bucket(self) -> bool:
        """Whether the bucket itself is not there, rather than the key."""
        return self.code in _NO_BUCKET

    @property
    def beyond_end(self) -> bool:
        """Whether a range starts behind the last byte of a file that is there."""
        return self.status == _RANGE_NOT_SATISFIABLE or "StartTooLarge" in self.text

    @property
    def broke_off(self) -> bool:
        """Whether an answer began and did not end."""
        return not self.status and "HTTP error" in self.text and _NEVER_SENT not in self.text

    @property
    def no_credentials(self) -> bool:
        """Whether the client found no credentials, and so never asked the store."""
        return bool(_NO_CREDENTIALS.search(self.text.partition("\n")[0]))

    @property
    def refused(self) -> bool:
        """Whether a write was certainly not done; with anything else it is in doubt."""
        if _RETRIED.search(self.text):
            # an earlier try may have been done, with its answer lost
            return False
        if self.no_credentials or _NEVER_SENT in self.text:
            return True
        return _CLIENT_ERROR <= self.status < _SERVER_ERROR and self.status not in _UNCLEAR


def storage_error(error: BaseException, doing: str, key: str, where: Location) -> StorageError:
    """Return the error to raise, `from` the original.

    Args:
        error: what the client raised.
        doing: `read`, `write`, `list` or `remove`.
        key: what it was about; '' for the bucket.
        where: the registry's place.
    """
    answer, cloud = Answer.of(error), where.cloud
    uri = shown(str(where), 200)
    what = f"cannot {doing} {shown(key, 120)} in {uri}" if key else f"cannot {doing} {uri}"
    bucket = f"{cloud.bucket_word} {where.bucket}"
    if answer.no_bucket:
        hint = cloud.make_bucket.format(bucket=where.bucket)
        return StorageError(f"there is no {bucket} in {cloud.name} ({uri})", hint=hint)
    if answer.code in _WRONG_REGION or answer.status in _REDIRECTS or "LOCATION" in answer.text:
        return _wrong_region(answer, what, bucket)
    reason, hint = _refusal(answer, error, doing, bucket, cloud)
    return StorageError(f"{what}: {reason}", hint=hint) if reason else _other(answer, what, where)


def _refusal(
    answer: Answer, error: BaseException, doing: str, bucket: str, cloud: Cloud
) -> tuple[str, str]:
    """Return why somebody may not do it, and what helps; '' where that is not the reason."""
    if gave_none := _GAVE_NONE.search(answer.text):
        reason = gave_none[1], ASK_BY_HAND
    elif answer.no_credentials:
        reason = f"no credentials were found for {cloud.name}", cloud.credentials
    elif answer.code in _SKEWED:
        reason = "this machine's clock is off by more than the store allows", "set the clock"
    elif answer.code in _BAD_LOGIN or answer.status == _UNAUTHORIZED:
        why = _BAD_LOGIN.get(answer.code, "the credentials are not accepted")
        reason = why, cloud.credentials
    elif answer.status == _FORBIDDEN or type(error).__name__ == "PermissionDeniedError":
        need = cloud.permissions[doing]
        reason = f"access denied by {bucket}", f"the credentials need {need}"
    elif answer.code in _FULL:
        reason = f"the store is full ({answer.code})", "free some space, or raise its quota"
    else:
        reason = "", ""
    return reason


def _wrong_region(answer: Answer, what: str, bucket: str) -> StorageError:
    found = _REGION.search(answer.text)
    region = (found[1] or found[2]) if found else ""
    return StorageError(
        f"{what}: {bucket} lies in another region" + (f", {region}" if region else ""),
        hint=f"set AWS_REGION={region or 'REGION'}",
    )


def _other(answer: Answer, what: str, where: Location) -> StorageError:
    variable = where.cloud.endpoint_variables[0]
    if answer.status:
        detail = f"status {answer.status}" + (f", {answer.code}" if answer.code else "")
        return StorageError(f"{what}: the store answered {detail}", hint="try again later")
    if "TimedOut" in answer.text or "Timeout" in answer.text:
        return StorageError(f"{what}: the store did not answer in time", hint="try again later")
    if _NEVER_SENT in answer.text:
        return StorageError(
            f"{what}: the store cannot be reached",
            hint=f"check the network, and {variable} where the store is not {where.cloud.name}'s",
        )
    if "HTTP error" in answer.text:
        return StorageError(f"{what}: the connection to the store was lost", hint="try again later")
    first = re.sub(r"\S+://\S+", "URL", answer.text.splitlines()[0] if answer.text else "")
    return StorageError(
        f"{what}: {shown(first, 200)}",
        hint=f"look at what answers there, a proxy's page perhaps, and at {variable}",
    )
