"""Lets a handler of the control API act, and notes what it changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sandbox.contract import Operation
from sandbox.control.history import Done, filled
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.errors import ApiError
from sandbox.repeatable import REPEATABLE

Handler = Callable[[ControlCall, ControlServices], Awaitable[ControlAnswer]]


async def noted(operation: Operation, handler: Handler, call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Answer a call; one that was refused has changed nothing, and is not noted."""
    if operation.id not in REPEATABLE:
        return await handler(call, on)
    turn, at, app_id = next(on.journal.turns), on.clock.now(), call.path["app_id"]
    try:
        answer = await handler(call, on)
    except ApiError:
        if operation.id == "control_populate":
            on.history.spoil(app_id, "a call of populate stopped before its end")
        raise
    if not await on.worlds.exists(app_id):
        # As fresh as its first use: there is nothing to repeat.
        return answer
    path = filled(operation, call.path)
    on.history.note(app_id, Done(turn=turn, at=at, method=operation.method, path=path, body=call.body))
    return answer
