import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import regista
from regista import errors
from regista.cli.exits import MEANINGS, ExitCode, exit_code_of, exit_code_of_result
from regista.registry.results import Decided, Drilled, Written

CONTRACT = {
    errors.InvalidInputError: 2,
    errors.NewerFormatError: 2,
    errors.TxidReusedError: 2,
    errors.RefusedError: 3,
    errors.NotFoundError: 4,
    errors.ConflictError: 5,
    errors.OutcomeUnknownError: 5,
    errors.IntegrityError: 6,
    errors.StorageError: 7,
}


def every_subclass(class_: type[errors.RegistaError]) -> Iterator[type[errors.RegistaError]]:
    for subclass in class_.__subclasses__():
        yield subclass
        yield from every_subclass(subclass)


@pytest.mark.parametrize(("class_", "code"), CONTRACT.items())
def test_errors_have_the_exit_codes_of_the_contract(
    class_: type[errors.RegistaError], code: int
) -> None:
    error = class_("no", txid="t") if class_ is errors.OutcomeUnknownError else class_("no")
    assert exit_code_of(error) == code


def test_every_error_of_the_library_has_an_exit_code() -> None:
    for module in pkgutil.walk_packages(regista.__path__, "regista."):
        if module.name != "regista.__main__":
            importlib.import_module(module.name)
    for class_ in every_subclass(errors.RegistaError):
        error = class_.__new__(class_)
        assert exit_code_of(error) != ExitCode.INTERNAL, class_


def test_an_error_of_no_known_class_is_a_bug() -> None:
    assert exit_code_of(errors.RegistaError("?")) == ExitCode.INTERNAL


def test_refusals_and_failed_drills_are_results_with_exit_codes() -> None:
    base: dict[str, Any] = {"op": "x", "seq": 1, "commit": "", "name": "n", "version": 1}
    assert exit_code_of_result(Decided(**base, outcome="refused")) == 3
    assert exit_code_of_result(Decided(**base, outcome="passed")) == 0
    assert exit_code_of_result(Decided(**base, outcome="waived")) == 0
    assert exit_code_of_result(Drilled(**base, ok=False)) == 6
    assert exit_code_of_result(Drilled(**base, ok=True)) == 0
    assert exit_code_of_result(Written(**base)) == 0


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)
