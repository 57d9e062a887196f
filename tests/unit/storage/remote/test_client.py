import sys
from typing import Any

import pytest

from regista.errors import InvalidInputError, StorageError
from regista.storage.remote.client import make_client
from regista.storage.remote.location import Location
from support import emulators


@pytest.mark.parametrize(
    ("scheme", "extra"), [("s3", "s3"), ("gs", "gcs"), ("az", "azure")], ids=["s3", "gs", "az"]
)
def test_a_missing_client_is_named_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, scheme: str, extra: str
) -> None:
    for module in ("obstore", "obstore.store"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InvalidInputError, match="not installed") as caught:
        make_client(Location.parse(scheme, "bucket"))
    assert caught.value.hint == f"pip install 'regista[{extra}]'"


@pytest.mark.parametrize("name", ["REGISTA_STORE_TIMEOUT", "REGISTA_STORE_RETRIES"])
@pytest.mark.parametrize("value", ["-1", "soon", "1.5", "9999999"])
def test_a_malformed_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInputError, match=name):
        make_client(Location.parse("s3", "bucket"))


def test_azure_without_an_account_says_how_to_name_one() -> None:
    with pytest.raises(StorageError, match="Account must be specified") as caught:
        make_client(Location.parse("az", "container"))
    assert "AZURE_STORAGE_CONNECTION_STRING" in caught.value.hint


def test_settings_reach_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTA_STORE_TIMEOUT", "7")
    monkeypatch.setenv("REGISTA_STORE_RETRIES", "3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://s3.example.org/")
    client: Any = make_client(Location.parse("s3", "bucket/a/b"))
    assert client.prefix == "a/b"
    retry, options = client.retry_config, client.client_options
    assert (retry["max_retries"], retry["retry_timeout"].total_seconds()) == (3, 7)
    assert options["timeout"] == "7s"
    assert "allow_http" not in options


def test_the_url_of_an_endpoint_decides_whether_plain_http_is_fine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in emulators.s3_environ("http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)
    client: Any = make_client(Location.parse("s3", "bucket"))
    options = client.client_options
    assert options["allow_http"] in {True, "true"}
