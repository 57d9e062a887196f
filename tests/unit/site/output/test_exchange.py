import errno
import sys
from pathlib import Path

import pytest

from fakes.failing_system import failing
from regista.site.output import exchange
from regista.site.output.exchange import Way, replace_folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    new, target = tmp_path / "work" / "new", tmp_path / "target"
    for folder in (new, target):
        folder.mkdir(parents=True)
        (folder / "name").write_text(folder.name)
    return new, target, tmp_path / "work" / "aside"


def test_two_folders_change_places(folders: tuple[Path, Path, Path]) -> None:
    new, target, aside = folders
    assert replace_folder(new, target, aside) is Way.AT_ONCE
    assert (target / "name").read_text() == "new"
    assert (new / "name").read_text() == "target"
    assert not aside.exists()


def test_a_missing_target_is_made(folders: tuple[Path, Path, Path]) -> None:
    new, target, aside = folders
    target.rename(target.with_name("elsewhere"))
    assert replace_folder(new, target, aside) is Way.AT_ONCE
    assert (target / "name").read_text() == "new"


@pytest.mark.parametrize("call", [None, lambda *_: -1])
def test_without_the_system_call_two_renames_do_it(
    folders: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, call: object
) -> None:
    monkeypatch.setattr(exchange, "_system_call", lambda: call)
    new, target, aside = folders
    assert replace_folder(new, target, aside) is Way.TWO_RENAMES
    assert (target / "name").read_text() == "new"
    assert (aside / "name").read_text() == "target"


def test_a_failing_second_rename_puts_the_old_folder_back(
    folders: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_system_call", lambda: None)
    new, target, aside = folders
    rename = Path.rename

    def fail_for_new(path: Path, to: Path) -> Path:
        if path == new:
            failing(errno.EIO)()
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    with pytest.raises(OSError, match="Input/output"):
        replace_folder(new, target, aside)
    assert (target / "name").read_text() == "target"


@pytest.mark.parametrize("code", [errno.EBUSY, errno.EXDEV, errno.EACCES])
def test_a_folder_that_cannot_be_renamed_is_left(
    folders: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(exchange, "_system_call", lambda: lambda *_: -1)
    monkeypatch.setattr(Path, "rename", failing(code))
    assert replace_folder(*folders) is Way.FILE_BY_FILE


def test_any_other_refusal_is_an_error(
    folders: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_system_call", lambda: None)
    monkeypatch.setattr(Path, "rename", failing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        replace_folder(*folders)


def test_the_call_of_each_system_is_found_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class Function:
        argtypes: list[object]

        def __call__(self, *arguments: object) -> int:
            return len(arguments)

    class Library:
        renamex_np, renameat2 = Function(), Function()

    for platform, library, expected in (
        ("darwin", Library(), 3), ("linux", Library(), 5), ("linux", object(), None),
    ):  # fmt: skip
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr("ctypes.CDLL", lambda _, found=library: found)
        exchange._system_call.cache_clear()  # noqa: SLF001
        call = exchange._system_call()  # noqa: SLF001
        assert (call(b"a", b"b") if call else None) == expected
    exchange._system_call.cache_clear()  # noqa: SLF001
