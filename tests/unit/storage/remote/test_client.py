import sys
from pathlib import Path
from typing import Any

import pytest

from regista.errors import InvalidInputError, StorageError
from regista.storage.remote.client import endpoint_url, make_client
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


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:9000",
        "minio",
        "htp://minio:9000",
        "HTTP://minio:9000",
        "http://",
        "http://minio:99999",
        "http://mi nio",
        "http://minio:9000\n",
        "http://münio",
        "http://[::1",
        "http://%zz",
        "http://minio/?x=1",
    ],
)
@pytest.mark.parametrize(
    ("scheme", "variable"),
    [
        ("s3", "AWS_ENDPOINT_URL"),
        ("gs", "GOOGLE_BASE_URL"),
        ("az", "AZURE_STORAGE_ENDPOINT"),
    ],
)
def test_an_endpoint_that_is_no_url_is_refused_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, scheme: str, variable: str, url: str
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv(variable, url)
    with pytest.raises(InvalidInputError, match=variable) as caught:
        make_client(Location.parse(scheme, "bucket"))
    assert "\n" not in caught.value.message
    assert "https://" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["http://minio", "https://10.0.0.1:9000/", "http://[::1]:9000", "https://h/path/to%20it"]
)
def test_an_endpoint_may_have_a_port_and_a_path(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert endpoint_url(Location.parse("s3", "bucket")) == url.rstrip("/")
    make_client(Location.parse("s3", "bucket"))


def test_a_refused_endpoint_does_not_show_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:secret@mi nio")
    with pytest.raises(InvalidInputError) as caught:
        make_client(Location.parse("s3", "bucket"))
    assert "secret" not in caught.value.message


def test_a_profile_with_an_endpoint_that_is_no_url_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = minio:9000\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with pytest.raises(InvalidInputError, match="endpoint_url"):
        make_client(Location.parse("s3", "bucket"))


@pytest.mark.parametrize(
    ("scheme", "variable"),
    [
        ("s3", "AWS_ACCESS_KEY_ID"),
        ("s3", "AWS_SESSION_TOKEN"),
        ("s3", "AWS_REGION"),
        ("s3", "AWS_DEFAULT_REGION"),
        ("az", "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_a_line_break_in_what_goes_into_a_header_is_refused(
    monkeypatch: pytest.MonkeyPatch, scheme: str, variable: str
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv(variable, "hidden\n")
    with pytest.raises(InvalidInputError, match=variable) as caught:
        make_client(Location.parse(scheme, "bucket"))
    assert "hidden" not in caught.value.message


BY_KEY = "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=aGVsbG8=;EndpointSuffix="
BY_SAS = "SharedAccessSignature=sv=2022-11-02&ss=b&sig=abc%3D"


@pytest.mark.parametrize(
    ("text", "account", "endpoint"),
    [
        (f"{BY_KEY}core.windows.net", "acc", "https://acc.blob.core.windows.net"),
        (f"{BY_KEY}core.chinacloudapi.cn\n", "acc", "https://acc.blob.core.chinacloudapi.cn"),
        (
            f"BlobEndpoint=https://acc.blob.core.windows.net/;QueueEndpoint=https://q/;{BY_SAS}",
            "acc",
            "https://acc.blob.core.windows.net",
        ),
        (f"BlobEndpoint=http://127.0.0.1:1/acc/;{BY_SAS}", "acc", "http://127.0.0.1:1/acc"),
    ],
    ids=["key", "other cloud", "signature", "emulator"],
)
def test_every_connection_string_of_azures_portal_names_account_and_endpoint(
    monkeypatch: pytest.MonkeyPatch, text: str, account: str, endpoint: str
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    where = Location.parse("az", "container")
    assert endpoint_url(where) == endpoint
    client: Any = make_client(where)
    assert client.config["account_name"] == account
