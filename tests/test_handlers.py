"""Handlers are loaded late: what each operation of the two contracts needs is there all the same."""

from __future__ import annotations

from inspect import iscoroutinefunction

import pytest

from sandbox import api, control
from sandbox.contract import load
from sandbox.contract.document import control_folder

API = [operation.id for operation in load().operations]
CONTROL = [operation.id for operation in load(control_folder()).operations]


@pytest.mark.parametrize("operation", API)
def test_every_operation_of_the_api_has_its_function(operation: str) -> None:
    assert iscoroutinefunction(api.handler(operation))


@pytest.mark.parametrize("operation", CONTROL)
def test_every_operation_of_the_control_api_has_its_function(operation: str) -> None:
    assert iscoroutinefunction(control.handler(operation))


def test_nothing_has_a_place_that_no_contract_names() -> None:
    assert (sorted(api.MODULES), sorted(control.MODULES)) == (sorted(API), sorted(CONTROL))
