from datetime import UTC, datetime

import pytest

from regista.storage.remote.client import endpoint_url
from regista.storage.remote.clock import time_at
from regista.storage.remote.location import Location
from support import emulators
from support.answering import answering

SAID = {"Date": "Wed, 04 Mar 2026 09:30:00 GMT"}
THEN = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 403, 404, 405])
def test_whatever_is_answered_has_a_date(status: int) -> None:
    with answering(status, headers=SAID) as url:
        assert time_at(url) == THEN


@pytest.mark.parametrize("headers", [{}, {"Date": "tomorrow"}, {"Date": ""}])
def test_an_answer_without_a_date_tells_nothing(headers: dict[str, str]) -> None:
    with answering(200, headers=headers) as url:
        assert time_at(url) is None


def test_who_cannot_be_asked_is_not_insisted_on() -> None:
    assert time_at(f"http://127.0.0.1:{emulators.free_port()}") is None
    assert time_at("file:///etc/passwd") is None
    assert time_at("http://[bad") is None


def test_the_emulators_tell_the_time() -> None:
    for server in (emulators.s3(), emulators.gcs(), emulators.azure()):
        told = time_at(server.url)
        assert told
        assert abs((datetime.now(UTC) - told).total_seconds()) < 60


@pytest.mark.parametrize(
    ("scheme", "environ", "url"),
    [
        ("s3", {}, "https://s3.us-east-1.amazonaws.com"),
        ("s3", {"AWS_REGION": "eu-west-1"}, "https://s3.eu-west-1.amazonaws.com"),
        ("s3", {"AWS_ENDPOINT_URL": "http://here:9000/"}, "http://here:9000"),
        ("gs", {}, "https://storage.googleapis.com"),
        ("gs", {"GOOGLE_BASE_URL": "http://here"}, "http://here"),
        ("az", {"AZURE_STORAGE_ACCOUNT_NAME": "acc"}, "https://acc.blob.core.windows.net"),
        ("az", {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=acc"},
         "https://acc.blob.core.windows.net"),
    ],
)  # fmt: skip
def test_the_url_of_a_store_follows_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, scheme: str, environ: dict[str, str], url: str
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert endpoint_url(Location.parse(scheme, "bucket")) == url
