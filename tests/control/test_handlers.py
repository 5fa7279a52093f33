"""Modules of the control API are loaded late: what each operation needs is there all the same."""

from __future__ import annotations

from inspect import iscoroutinefunction

import pytest

from sandbox.contract import load
from sandbox.contract.document import control_folder
from sandbox.control import PLACES, handler

OPERATIONS = [operation.id for operation in load(control_folder()).operations]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_its_function(operation: str) -> None:
    assert iscoroutinefunction(handler(operation))


def test_nothing_has_a_place_that_the_contract_does_not_name() -> None:
    assert sorted(PLACES) == sorted(OPERATIONS)
