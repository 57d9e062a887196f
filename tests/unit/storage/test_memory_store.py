"""What is particular to the dictionary; the rest is in the conformance suite."""

import subprocess
import sys
from pathlib import Path

from regista.storage.memory import MemoryStore, memory_store


def test_a_store_opened_twice_by_one_name_is_the_same() -> None:
    memory_store("twice").put("key", b"x")
    assert memory_store("twice").get("key") == b"x"
    assert memory_store("another").get("key") is None


def test_the_uri_opens_the_store_again() -> None:
    assert memory_store("named").uri == "memory://named"


def test_a_local_path_follows_a_key_that_is_replaced_and_keeps_others() -> None:
    store = MemoryStore("spool")
    store.put("a/one", b"first")
    store.put("a/two", b"other")
    paths = [store.local_path("a/one"), store.local_path("a/two")]
    store.put("a/one", b"second")
    assert [path.read_bytes() for path in paths if path] == [b"first", b"other"]
    assert [store.local_path("a/one"), store.local_path("a/two")] == paths
    assert [path.read_bytes() for path in paths if path] == [b"second", b"other"]


def test_a_change_of_the_callers_bytes_changes_nothing_stored() -> None:
    store = MemoryStore("copies")
    data = bytearray(b"before")
    store.put_if_absent("key", data)  # type: ignore[arg-type]
    data[:] = b"after!"
    assert store.get("key") == b"before"


def test_the_files_lent_are_gone_when_the_interpreter_ends() -> None:
    code = (
        "from regista.storage.memory import MemoryStore\n"
        "store = MemoryStore('x'); store.put('a/b', b'x'); print(store.local_path('a/b'))"
    )
    command = [sys.executable, "-c", code]
    path = Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    assert path.name == "b"
    assert not path.exists()
    assert not path.parent.parent.exists()
