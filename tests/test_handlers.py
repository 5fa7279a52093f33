"""What each operation of the two contracts needs is there, though some of it is loaded late."""

from __future__ import annotations

from inspect import iscoroutinefunction

from sandbox import api, control
from sandbox.contract import load
from sandbox.contract.document import control_folder

API = [operation.id for operation in load().operations]
CONTROL = [operation.id for operation in load(control_folder()).operations]


def test_every_operation_of_both_has_its_function() -> None:
    handlers: dict[str, object] = {operation: api.handler(operation) for operation in API}
    handlers.update(control.HANDLERS)
    assert [operation for operation in [*API, *CONTROL] if not iscoroutinefunction(handlers[operation])] == []


def test_nothing_has_a_place_that_no_contract_names() -> None:
    assert (sorted(api.MODULES), sorted(control.HANDLERS)) == (sorted(API), sorted(CONTROL))
