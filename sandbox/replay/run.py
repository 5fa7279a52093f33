"""Replays a bundle on a running server: the state first, then step by step, at the time that it was then."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from urllib.parse import quote

from sandbox.replay.bundle import Asked, Bundle, BundleError, Set
from sandbox.replay.comparing import difference
from sandbox.replay.sending import Address, control, send
from sandbox.replay.shown import shown

Say = Callable[[str], None]


class Replay:
    """One bundle on one server."""

    def __init__(self, bundle: Bundle, address: Address, say: Say) -> None:
        self._bundle = bundle
        self._address = address
        self._say: Say = lambda line: say(shown(line))
        self._app = f"/_sandbox/apps/{quote(bundle.app_id, safe='')}"
        self._running = bundle.baseline.get("clock") is None
        self._slack = 0

    def run(self) -> int:
        """Do everything again, a line each, and return how many steps came to something else.

        Raises:
            BundleError: the server does not take the state with which it begins.
        """
        if refused := control("PUT", f"{self._app}/snapshot", self._bundle.baseline, self._address):
            raise BundleError(f"the bundle's first state can't be put back: {refused}")
        differing = sum(self._same(step) is False for step in self._bundle.steps)
        count = sum(isinstance(step, Asked) for step in self._bundle.steps)
        asked = "1 request" if count == 1 else f"{count} requests"
        self._say(f"{asked}: {f'{differing} differ' if differing else 'all the same'}")
        return differing

    def _same(self, step: Asked | Set) -> bool:
        if self._running:
            # The clock that ran then stands now where it was, so that every time is told again.
            control("PUT", f"{self._app}/clock", {"now": step.at}, self._address)
        return self._asked(step) if isinstance(step, Asked) else self._set(step)

    def _asked(self, step: Asked) -> bool:
        if self._running:
            self._slack = max(self._slack, ceil(step.duration_ms / 1000) + 1)
        where = difference(step.answer, send(step, self._address), self._slack)
        line = f"{step.method:6} {step.target}  {step.answer.status or 'no answer'}"
        self._say(f"differs  {line}: {where}" if where else f"same     {line}{_remark(step)}")
        return where is None

    def _set(self, step: Set) -> bool:
        refused = control(step.method, step.path, step.body, self._address)
        if step.path.endswith(("/clock", "/clock/advance")):
            self._running = step.method == "DELETE"
        line = f"{step.method:6} {step.path}"
        self._say(f"differs  {line}: {refused}" if refused else f"set      {line}")
        return refused is None


def _remark(step: Asked) -> str:
    return {"client_gone": "  the client goes away", "cut": "  cut off"}.get(step.answer.ended, "")
