"""What stores answer, through the real client, and what is said of it."""

from collections.abc import Callable

import pytest

from regista.errors import StorageError
from regista.storage.remote.failures import Answer
from regista.storage.remote.location import Location
from regista.storage.remote.store import RemoteStore
from regista.storage.store import PutOutcome
from support import emulators
from support.answering import answering


def error_of(code: str, more: str = "") -> str:
    return f"<Error><Code>{code}</Code><Message>no</Message>{more}</Error>"


def asking(monkeypatch: pytest.MonkeyPatch, scheme: str, url: str) -> RemoteStore:
    environ = {
        "s3": emulators.s3_environ, "gs": emulators.gcs_environ, "az": emulators.azure_environ,
    }[scheme](url)  # fmt: skip
    for name, value in {**environ, "REGISTA_STORE_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    return RemoteStore(Location.parse(scheme, "my-bucket/models"))


SAID = [
    ("s3", 404, error_of("NoSuchBucket"), "there is no bucket my-bucket in S3",
     "aws s3 mb s3://my-bucket"),
    ("gs", 404, error_of("NoSuchBucket"), "there is no bucket my-bucket in Google",
     "gcloud storage buckets create gs://my-bucket"),
    ("az", 404, error_of("ContainerNotFound"), "there is no container my-bucket in Azure",
     "az storage container create --name my-bucket"),
    ("s3", 403, error_of("AccessDenied"), "access denied by bucket my-bucket", "s3:GetObject"),
    ("gs", 403, error_of("AccessDenied"), "access denied by bucket my-bucket",
     "storage.objects.get"),
    ("az", 403, error_of("AuthorizationPermissionMismatch"),
     "access denied by container my-bucket", "Storage Blob Data Reader"),
    ("s3", 403, error_of("InvalidAccessKeyId"), "the access key is not known there", "AWS_PROFILE"),
    ("s3", 403, error_of("SignatureDoesNotMatch"), "the secret key does not fit", "AWS_PROFILE"),
    ("s3", 400, error_of("ExpiredToken"), "the session token has expired", "AWS_PROFILE"),
    ("gs", 401, "", "the credentials are not accepted", "gcloud auth"),
    ("s3", 403, error_of("RequestTimeTooSkewed"), "this machine's clock is off", "set the clock"),
    ("s3", 400, error_of("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"),
     "bucket my-bucket lies in another region, eu-west-1", "set AWS_REGION=eu-west-1"),
    ("s3", 301, error_of("PermanentRedirect"), "lies in another region", "set AWS_REGION=REGION"),
    ("s3", 400, error_of("QuotaExceeded"), "the store is full", "raise its quota"),
    ("s3", 503, error_of("SlowDown"), "the store answered status 503, SlowDown", "try again"),
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "status", "body", "said", "helps"), SAID)
def test_what_a_store_refuses_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, scheme: str, status: int, body: str, said: str, helps: str
) -> None:
    with answering(status, body) as url, pytest.raises(StorageError) as caught:
        asking(monkeypatch, scheme, url).get("log/1")
    assert said in caught.value.message
    assert helps in caught.value.hint
    assert caught.value.message.isprintable()
    assert "127.0.0.1" not in caught.value.message


Act = Callable[[RemoteStore], object]
DENIED: dict[str, tuple[str, Act]] = {
    "write": ("s3:PutObject", lambda store: store.put("key", b"x")),
    "write new": ("s3:PutObject", lambda store: store.put_if_absent("key", b"x")),
    "remove": ("s3:DeleteObject", lambda store: store.delete("key")),
    "list": ("s3:ListBucket", lambda store: list(store.list_after("log/"))),
    "range": ("s3:GetObject", lambda store: store.get_range("key", 0, 1)),
    "size": ("s3:GetObject", lambda store: store.size("key")),
    "fetch": ("s3:GetObject", lambda store: store.local_path("blobs/sha256/ab/" + "ab" * 32)),
}


@pytest.mark.parametrize("what", DENIED)
def test_the_permission_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    need, act = DENIED[what]
    with answering(403, error_of("AccessDenied")) as url, pytest.raises(StorageError) as caught:
        act(asking(monkeypatch, "s3", url))
    assert need in caught.value.hint
    assert "s3://my-bucket/models" in caught.value.message


def test_a_store_that_cannot_be_reached_is_said_to_be_that(monkeypatch: pytest.MonkeyPatch) -> None:
    store = asking(monkeypatch, "s3", f"http://127.0.0.1:{emulators.free_port()}")
    with pytest.raises(StorageError, match="the store cannot be reached") as caught:
        store.get("key")
    assert "AWS_ENDPOINT_URL_S3" in caught.value.hint
    with pytest.raises(StorageError, match="cannot be reached"):
        # it was never sent, so nobody need wonder
        store.put_if_absent("key", b"x")


@pytest.mark.parametrize("status", [408, 409, 412, 429, 500, 502, 503])
def test_a_write_whose_answer_tells_nothing_is_unknown(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with answering(status) as url:
        store = asking(monkeypatch, "s3", url)
        assert store.put_if_absent("key", b"x") is PutOutcome.UNKNOWN


def test_a_write_that_the_client_tried_again_is_never_said_to_be_refused() -> None:
    text = "Error performing PUT http://x in 1s, after 2 retries - status code: 403 Forbidden"
    assert not Answer.of(ValueError(text)).refused
    assert Answer.of(ValueError(text.replace(", after 2 retries", ""))).refused


@pytest.mark.parametrize(
    ("scheme", "variable"),
    [("s3", "AWS_ENDPOINT_URL_S3"), ("gs", "GOOGLE_BASE_URL"), ("az", "AZURE_STORAGE_ENDPOINT")],
)
def test_an_answer_that_no_store_gives_is_met_with_where_to_look(
    monkeypatch: pytest.MonkeyPatch, scheme: str, variable: str
) -> None:
    with answering(200, "<html>please log in</html>") as url, pytest.raises(StorageError) as caught:
        asking(monkeypatch, scheme, url).put("tables/x", b"x")
    assert variable in caught.value.hint
    assert "log in" not in caught.value.message
