"""Replay a bundle on a running server: the state first, then step by step, at the time of the recording."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import ceil
from urllib.parse import quote

from sandbox.redaction import escape
from sandbox.replay.bundle import Bundle, BundleError, ControlStep, RecordedRequest
from sandbox.replay.diff import describe_difference
from sandbox.replay.transport import Address, call_control, send_request

Say = Callable[[str], None]

# What GitHub's runner takes for a command: `::` at the beginning of a line (here of any word), `##[` anywhere.
_COMMAND = re.compile(r"(?:^|(?<=\s)):(?=:)|#(?=#\[)")
_MAX_LENGTH = 2_000


class Replay:
    """One bundle on one server."""

    def __init__(self, bundle: Bundle, address: Address, say: Say) -> None:
        self._bundle = bundle
        self._address = address
        self._say: Say = lambda line: say(escape_line(line))
        self._app = f"/_sandbox/apps/{quote(bundle.app_id, safe='')}"
        self._running = bundle.baseline.get("clock") is None
        self._slack = 0

    def run(self) -> int:
        """Repeat everything, a line each, and return how many steps came to something else.

        Raises:
            BundleError: the server does not take the state with which it begins.
        """
        if problem := call_control("PUT", f"{self._app}/snapshot", self._bundle.baseline, self._address):
            raise BundleError(f"the bundle's first state can't be put back: {problem}")
        differing = sum(not self._repeat(step) for step in self._bundle.steps)
        count = sum(isinstance(step, RecordedRequest) for step in self._bundle.steps)
        requests = "1 request" if count == 1 else f"{count} requests"
        self._say(f"{requests}: {f'{differing} differ' if differing else 'all the same'}")
        return differing

    def _repeat(self, step: RecordedRequest | ControlStep) -> bool:
        if self._running:
            # The clock, which ran at the recording, is frozen where it was, so that every time is the same.
            call_control("PUT", f"{self._app}/clock", {"now": step.at}, self._address)
        return self._send(step) if isinstance(step, RecordedRequest) else self._control(step)

    def _send(self, step: RecordedRequest) -> bool:
        if self._running:
            self._slack = max(self._slack, ceil(step.duration_ms / 1000) + 1)
        difference = describe_difference(step.response, send_request(step, self._address), self._slack)
        line = f"{step.method:6} {step.target}  {step.response.status or 'no answer'}"
        self._say(f"differs  {line}: {difference}" if difference else f"same     {line}{_remark(step)}")
        return difference is None

    def _control(self, step: ControlStep) -> bool:
        problem = call_control(step.method, step.path, step.body, self._address)
        if step.path.endswith(("/clock", "/clock/advance")):
            self._running = step.method == "DELETE"
        line = f"{step.method:6} {step.path}"
        self._say(f"differs  {line}: {problem}" if problem else f"set      {line}")
        return problem is None


def _remark(step: RecordedRequest) -> str:
    return {"client_gone": "  the client goes away", "cut": "  cut off"}.get(step.response.ended, "")


def escape_line(text: str) -> str:
    """Return a text as one line in which nothing can be taken for more than text."""
    short = text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
    return _COMMAND.sub(lambda match: f"\\u{ord(match[0]):04x}", escape(short))
