from collections.abc import Callable

import pytest

from regista.errors import StorageError
from regista.storage.remote.calling import call


def _panics() -> None:
    # what the client's own code raises when it breaks down is no Exception
    raise type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})("header\nvalue")


def _in_a_thread(work: Callable[[], None]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        pool.submit(call, work).result()


@pytest.mark.parametrize("caller", [call, _in_a_thread], ids=["main thread", "another"])
def test_a_client_that_breaks_down_is_an_error_of_the_store(
    caller: Callable[[Callable[[], None]], None],
) -> None:
    with pytest.raises(StorageError, match="broke down: 'header'") as caught:
        caller(_panics)
    assert "\n" not in caught.value.message


def test_what_ends_the_process_is_passed_on() -> None:
    def ends() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(ends)
