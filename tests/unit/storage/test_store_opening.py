from pathlib import Path

import pytest

from regista.errors import InvalidInputError
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.opening import open_store
from regista.storage.remote.store import RemoteStore


def test_a_path_opens_a_folder_that_need_not_exist(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "new"))
    assert isinstance(store, LocalStore)
    assert store.uri == str(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_store("./registry_data").uri == str(tmp_path / "registry_data")


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_store("~/registry").uri == str(tmp_path / "registry")


@pytest.mark.parametrize("form", ["file://{}", "file://localhost{}", "FILE://{}"])
def test_a_file_uri_opens_a_folder_with_its_escapes_undone(tmp_path: Path, form: str) -> None:
    assert open_store(form.format(f"{tmp_path}/my%20data")).uri == str(tmp_path / "my data")


def test_a_percent_sign_in_a_path_is_itself(tmp_path: Path) -> None:
    assert open_store(f"{tmp_path}/my%20data").uri == f"{tmp_path}/my%20data"


def test_a_memory_uri_opens_the_same_store_each_time() -> None:
    store = open_store("memory://opened.twice")
    assert isinstance(store, MemoryStore)
    assert open_store("memory://opened.twice") is store


@pytest.mark.parametrize("scheme", ["s3", "gs", "az", "S3"])
def test_an_object_store_is_opened_without_asking_it_anything(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    store = open_store(f"{scheme}://bucket/prefix")
    assert isinstance(store, RemoteStore)
    assert store.uri == f"{scheme.lower()}://bucket/prefix"


@pytest.mark.parametrize("uri", ["foo://x", "http://host/x", "sqlite:///x"])
def test_an_unknown_scheme_is_named(uri: str) -> None:
    with pytest.raises(InvalidInputError, match=f"unknown scheme, {uri.partition(':')[0]}://"):
        open_store(uri)


@pytest.mark.parametrize(
    "uri",
    ["", "a\0b", "memory://", "memory://a/b", "memory://a b", "file://host/path", "file://",
     "~no-such-user-here/x"],
)  # fmt: skip
def test_a_uri_that_cannot_name_a_registry_is_refused_on_one_line(uri: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_store(uri)
    assert caught.value.message.isprintable()
    assert caught.value.hint


def test_a_file_is_not_a_registry(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(InvalidInputError, match="is a file"):
        open_store(str(tmp_path / "file"))


def test_a_path_that_cannot_be_looked_at_is_left_for_the_first_reading() -> None:
    assert isinstance(open_store("/" + "x" * 300), LocalStore)


@pytest.mark.parametrize("uri", ["s3:/bucket/x", "s3:bucket", " s3://bucket/x", "AZ:/c/x", "gs:"])
def test_a_mistyped_uri_is_not_taken_for_a_folder(uri: str) -> None:
    with pytest.raises(InvalidInputError, match="neither a path nor a URI") as caught:
        open_store(uri)
    assert "s3://BUCKET/PREFIX" in caught.value.hint


@pytest.mark.parametrize("path", ["./s3:/x", "s3", "s3/x", "c:/x", "models:1"])
def test_a_path_may_have_a_colon(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_store(path).uri == str(tmp_path / path)
