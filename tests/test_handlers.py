"""Handlers are loaded late: what each operation of the two contracts needs is there all the same."""

from __future__ import annotations

from inspect import iscoroutinefunction

from sandbox import api, control
from sandbox.contract import load
from sandbox.contract.document import control_folder

API = [operation.id for operation in load().operations]
CONTROL = [operation.id for operation in load(control_folder()).operations]


def test_every_operation_of_both_has_its_function() -> None:
    handlers = [*((api, operation) for operation in API), *((control, operation) for operation in CONTROL)]
    assert [operation for room, operation in handlers if not iscoroutinefunction(room.handler(operation))] == []


def test_nothing_has_a_place_that_no_contract_names() -> None:
    assert (sorted(api.MODULES), sorted(control.MODULES)) == (sorted(API), sorted(CONTROL))
