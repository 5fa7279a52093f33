"""Saves all apps when it is told to (CONTROL.md, The rest)."""

from __future__ import annotations

from dataclasses import asdict

from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.errors import Conflict, InternalError


async def control_save(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Save all apps into the file of `--data`."""
    if on.keeper is None:
        raise Conflict("There is no file to save into; `serve --data FILE` names one.")
    try:
        return asdict(await on.keeper.save())
    except OSError as error:
        raise InternalError(f"Not saved: {error.strerror}; the file is as it was.") from None
