"""Before a run: what kind of server is there, may it be written to, does the key open the app, how is the run called.

A server that doesn't say that it is the sandbox belongs to somebody: it is written to only where that was allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.conformance.check import Check
from sandbox.conformance.checks import all_checks
from sandbox.conformance.http_messages import ApiRequest, ServerOrigin
from sandbox.conformance.output import KeyRedactor
from sandbox.conformance.session import RunStopped, Session, SessionLimits
from sandbox.conformance.target import Op, Target
from sandbox.conformance.transport import CannotRun, Deadline
from sandbox.contract import Contract

OWN_KEY = "sk_test_conform"
_HEALTH = "/_sandbox/health"
# Seconds in which the first answers have to be there: who never answers is found out soon.
_SCOUT_TIMEOUT = 5
_DEFAULT_PORTS = {"http": 80, "https": 443}


class UsageError(Exception):
    """What was asked for makes no sense; the text says what to do in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What to check, and how. `checks` are ids or topics (`PAGE`); empty for all, and for the fuzz phase."""

    url: str
    key: str | None = None
    app: str | None = None
    other_key: str | None = None
    checks: tuple[str, ...] = ()
    quick: bool = False
    read_only: bool = False
    allow_writes: bool = False
    max_messages: int = 40
    max_wait: float = 60
    deadline: float = 600
    sandbox_rules: bool = False
    shared_app: bool = False
    rate: float = 0
    seed: int = 1

    def redactor(self, others: Mapping[str, str] | None = None) -> KeyRedactor:
        """Return what redacts the keys of the run, and puts other texts right."""
        keys = {"API_KEY": self.key or OWN_KEY, "OTHER_KEY": self.other_key}
        return KeyRedactor({name: key for name, key in keys.items() if key}, others)


def prepare(plan: RunPlan, contract: Contract, deadline: Deadline | None = None) -> Target:
    """Look at the server, without writing, and make ready.

    Raises:
        CannotRun: nobody answers there, or it can't be checked so.
        UsageError: the plan makes no sense.
    """
    origin, base = parse_server_url(plan.url, contract)
    scouting = SessionLimits(whole=_SCOUT_TIMEOUT, max_wait=plan.max_wait, rate=plan.rate, writes=False)
    scout = Session(origin, scouting, deadline)
    scout.connector.probe()
    is_sandbox = _is_sandbox(scout)
    if not is_sandbox and not (plan.app and plan.key):
        raise UsageError(f"{origin} doesn't say that it is the sandbox: --app and --key are needed")
    target = Target(
        session=scout,
        contract=contract,
        base=base,
        app=plan.app or f"app_conform_{plan.seed}",
        key=plan.key or OWN_KEY,
        other_key=plan.other_key,
        is_sandbox=is_sandbox,
        sandbox_rules=is_sandbox or plan.sandbox_rules,
        is_alone=not plan.shared_app,
    )
    try:
        _check_access(target, app_is_chosen=plan.app is not None)
        target.run, target.invalid = _run_name(target, plan.seed), _validation_status(target)
    except RunStopped as error:
        raise CannotRun(f"{origin}: {error}") from None
    limits = SessionLimits(
        max_messages=None if is_sandbox else plan.max_messages,
        max_wait=plan.max_wait,
        rate=plan.rate,
        writes=not plan.read_only and (is_sandbox or plan.allow_writes),
    )
    target.session = Session(origin, limits, deadline)
    return target


def select_checks(names: Sequence[str]) -> tuple[Check, ...]:
    """Return the checks that are named by their id or topic; all if none is named.

    Raises:
        UsageError: a name is of no check.
    """
    checks = all_checks()
    for name in names:
        if not any(name in (check.id, check.topic) for check in checks):
            raise UsageError(f"--check {name}: there is no such check; --list shows them all")
    return tuple(check for check in checks if not names or check.id in names or check.topic in names)


def parse_server_url(url: str, contract: Contract) -> tuple[ServerOrigin, str]:
    """Return where a server is and under which path its operations stand.

    Raises:
        UsageError: it is no URL of a server.
    """
    wrong = UsageError(f"{url!r}: expected a URL such as http://127.0.0.1:8010")
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        raise wrong from None
    if port is None or not parts.hostname or not url.isascii() or not url.isprintable():
        raise wrong
    if parts.query or parts.fragment or parts.username or " " in url:
        raise wrong
    origin = ServerOrigin(scheme=parts.scheme, host=parts.hostname, port=port)
    return origin, parts.path.rstrip("/") or contract.base


def skip_reason(check: Check, target: Target, plan: RunPlan) -> str | None:
    """Return why a check isn't part of this plan; None if it is."""
    if check.needs_sandbox and not target.sandbox_rules:
        return "the sandbox's own rule; --sandbox-rules holds any server to it"
    if check.writes and not target.writes:
        return "--read-only" if plan.read_only else "it writes; --allow-writes allows it"
    if check.needs_other_key and not target.other_key:
        return "needs --other-key"
    return None


def _is_sandbox(scout: Session) -> bool:
    # Without the key: another server than the one that was meant may listen there.
    health = scout.send(ApiRequest(method="GET", target=_HEALTH), patient=False)
    if health.is_late:
        raise CannotRun(f"can't reach {scout.origin}: it listens, but {health.trouble}")
    return health.object.get("sandbox") is True


def _check_access(target: Target, *, app_is_chosen: bool) -> None:
    """Stop where nothing could come of a run: no answer at all, a wrong key, an app that isn't there."""
    answers = [target.ask(operation) for operation in (Op.CONFIG, Op.METRICS, Op.LIST)]
    if all(answer.status is None for answer in answers):
        raise CannotRun(f"{target.session.origin}: {answers[0].trouble}")
    status = answers[0].status or 0
    if {answer.status for answer in answers} != {status} or (status in (401, 403) and not app_is_chosen):
        return
    if status in (401, 403):
        what = "the key is refused" if status == 401 else "the key doesn't open the app"
        raise CannotRun(f"{what} ({status}); --key and --app say which")
    if status == 404:
        known = bool(answers[0].error)
        what = f"there is no app {target.app}" if known else f"nothing of this API is at {target.base}"
        raise CannotRun(f"{target.session.origin}: {what} (404); the URL's path and --app say what to check")


def _run_name(target: Target, seed: int) -> str:
    """Return a name for a run that no earlier run on this app had: it counts what was ever created there."""
    total = target.ask(Op.METRICS).object.get("total_conversations")
    return f"conform-{seed}-{total if isinstance(total, int) else 0}"


def _validation_status(target: Target) -> int:
    """Return the status with which the server refuses what breaks the schema."""
    return 400 if target.ask(Op.LIST, query="limit=0").status == 400 else 422
