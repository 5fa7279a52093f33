"""The pytest plugin of the Dimedove Sandbox: one server process a session, one fresh app a test.

It starts the server as a process and speaks HTTP to it. Of the package `sandbox` it imports nothing, so that a test
process stays free of it and a folder `sandbox/` of the user's own does no harm. It needs the standard library alone,
and loads what is slow when it is first used: a run without these fixtures pays nothing for the plugin.

    def test_it_survives_two_bad_answers(dimedove_app: DimedoveApp) -> None:
        client = MyClient(dimedove_app.base_url, dimedove_app.api_key, dimedove_app.app_id)
        dimedove_app.fault("status", status=503, times=2)
        client.create_conversation(title="Support inquiry")
        dimedove_app.verify("apps_api_create_conversation", body={"title": "Support inquiry"}, times=3)
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import pytest

if TYPE_CHECKING:
    from datetime import datetime

URL_VARIABLE = "DIMEDOVE_SANDBOX_URL"
COMMAND_VARIABLE = "DIMEDOVE_SANDBOX_COMMAND"
TOKEN_VARIABLE = "DIMEDOVE_SANDBOX_CONTROL_TOKEN"  # noqa: S105 - the name of a variable
KEY = "sk_test_pytest"

# A failure is shown where the test stands, not in here.
__tracebackhide__ = True

_LONGEST_START = 60
_LONGEST_CALL = 600
_MOST_SHOWN = 20
_PAGE = 100
_GREETING = re.compile(r"Dimedove Sandbox on (https?://\S+)/v1\b")

# The choices are here for an editor to offer. A text that a type checker can't know is taken as well, wherever one of
# them is: the sandbox refuses a wrong one at once, and names the right ones.
Operation = Literal[
    "apps_api_create_conversation",
    "apps_api_list_conversations",
    "apps_api_list_user_conversations",
    "apps_api_get_conversation",
    "apps_api_update_conversation",
    "apps_api_delete_conversation",
    "apps_api_send_message",
    "apps_api_create_completion",
    "apps_api_get_app_config",
    "apps_api_get_app_metrics",
]
FaultKind = Literal[
    "status",
    "after",
    "latency",
    "hang",
    "reset",
    "stale",
    "truncate",
    "malformed",
    "wrong_type",
    "contract",
    "stream_cut",
    "stream_stall",
    "stream_fail",
    "stream_garble",
]
Framing = Literal["plain", "split", "crlf", "comments", "multiline"]


class FaultFields(TypedDict, total=False):
    """What a fault may say beside its kind; each kind takes its own fields."""

    operation: Operation | str | None
    times: int | None
    skip: int
    probability: float
    status: int
    headers: Mapping[str, str]
    body: Any
    ms: int
    bytes: int
    path: str
    events: int


class Pace(TypedDict, total=False):
    """How slowly a reply comes, in milliseconds."""

    first_ms: int
    delta_ms: int


class ReplyRules(TypedDict, total=False):
    """To which messages a scripted reply answers, how often and how slowly."""

    contains: str | Sequence[str] | None
    times: int | None
    skip: int
    pace: Pace | None


class Times(TypedDict, total=False):
    """How many requests there must be: at least, at most."""

    min: int
    max: int


class Wanted(TypedDict, total=False):
    """What a request must have been like; of an object the given fields, at any depth."""

    status: int
    body: Any
    headers: Mapping[str, str]
    times: int | Times


class RateLimit(TypedDict, total=False):
    """How many calls send message and completions take together."""

    per_minute: int | None
    per_day: int | None


class SettingChanges(TypedDict, total=False):
    """An app's settings; None gives the default back."""

    status: Literal["live", "inactive", "no_agent"] | str | None
    stream: bool | None
    generative_ui: bool | None
    titles: Literal["at_creation", "after_first_exchange"] | str | None
    agent: Mapping[str, str | None] | None
    tools: Sequence[Mapping[str, Any]] | None
    keys: Sequence[str] | None
    rate_limit: RateLimit | None
    pace: Pace | None
    framing: Framing | str | None


class Entry(TypedDict):
    """One request in the sandbox's journal, and its answer as it was sent."""

    id: str
    at: int
    app_id: str | None
    operation: Operation | None
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    status: int | None
    response: Any
    duration_ms: float
    fault: FaultKind | None
    violation: str | None
    ended: Literal["complete", "client_gone", "cut"]
    warnings: list[str]


class DimedoveError(Exception):
    """The sandbox did not start, can't be reached, or refused a call of its control API."""


class Clock:
    """The time of one app: `created_at` and rate limits follow it."""

    def __init__(self, app: DimedoveApp) -> None:
        self._app = app

    def now(self) -> int:
        """Return the app's time in Unix seconds."""
        return int(self._app.control("GET", "/clock")["now"])

    def freeze(self, now: int | datetime | None = None) -> int:
        """Stop the app's time, at `now` or where it is, and return it."""
        moment = self.now() if now is None else now if isinstance(now, int) else int(now.timestamp())
        return int(self._app.control("PUT", "/clock", {"now": moment})["now"])

    def advance(self, seconds: int) -> int:
        """Move the app's time forward, freezing it there, and return it."""
        return int(self._app.control("POST", "/clock/advance", {"seconds": seconds})["now"])

    def reset(self) -> None:
        """Give the app real time back."""
        self._app.control("DELETE", "/clock")


class DimedoveApp:
    """One app of the sandbox, a whole world of its own: what a test does here, no other test sees.

    `base_url`, `api_key` and `app_id` are what a client needs.
    """

    def __init__(self, server: Dimedove, app_id: str) -> None:
        self.base_url = server.base_url
        self.api_key = KEY
        self.app_id = app_id
        self.clock = Clock(self)
        self._server = server

    def __repr__(self) -> str:
        return f"<DimedoveApp {self.app_id} on {self.base_url}>"

    def fault(self, kind: FaultKind | str, **fields: Unpack[FaultFields]) -> dict[str, Any]:
        """Let a coming request go wrong (the next one; see `operation`, `skip`, `times`) and return it as queued."""
        queued: dict[str, Any] = self.control("POST", "/faults", {"kind": kind, **fields})
        return queued

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that still wait, oldest first: empty when all have acted."""
        return list(self.control("GET", "/faults")["data"])

    def clear_faults(self) -> None:
        """Take back the faults that still wait."""
        self.control("DELETE", "/faults")

    def reply(self, *output: str | Mapping[str, Any], **rules: Unpack[ReplyRules]) -> dict[str, Any]:
        """Script what the agent says to a coming message and return the queued reply; a text is a `message` item."""
        items = [{"type": "message", "text": item} if isinstance(item, str) else item for item in output]
        queued: dict[str, Any] = self.control("POST", "/replies", {"output": items, **rules})
        return queued

    def replies(self) -> list[dict[str, Any]]:
        """Return the scripted replies that still wait, oldest first."""
        return list(self.control("GET", "/replies")["data"])

    def clear_replies(self) -> None:
        """Take back the scripted replies that still wait."""
        self.control("DELETE", "/replies")

    def requests(self, operation: Operation | str | None = None, *, status: int | None = None) -> list[Entry]:
        """Return what the client sent and was answered, in the order in which it was sent."""
        return self._server.journal(app_id=self.app_id, operation=operation, status=status)

    def verify(self, operation: Operation | str | None = None, **wanted: Unpack[Wanted]) -> int:
        """Make sure that such requests were sent, at least one unless `times` says otherwise; return how many.

        Raises:
            AssertionError: it were more or fewer; the message shows the nearest miss field by field.
        """
        question = {"app_id": self.app_id, **({"operation": operation} if operation else {}), **wanted}
        result = self._server.control("POST", "/requests/verify", question)
        if result["verified"] is not True:
            raise AssertionError("\n".join(_unverified(question, result, self._server)))
        return int(result["count"])

    def settings(self, **changes: Unpack[SettingChanges]) -> dict[str, Any]:
        """Change settings of the app, if any are given, and return those in force."""
        shown = self.control("PATCH", "", changes) if changes else self.control("GET", "")
        return dict(shown["settings"])

    def populate(self, conversations: int, *, messages: int | None = None, users: int | None = None) -> dict[str, int]:
        """Add realistic conversations of the past 30 days and return the app's counts."""
        more = {"messages": messages, "users": users}
        given = {name: value for name, value in more.items() if value is not None}
        return dict(self.control("POST", "/populate", {"conversations": conversations, **given}))

    def delete(self) -> None:
        """Forget everything of the app; its next use starts afresh."""
        self.control("DELETE", "")

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Make a call of the control API below `/_sandbox/apps/{app_id}` and return its answer."""
        return self._server.control(method, f"/apps/{self.app_id}{path}", body)


class Dimedove:
    """A running sandbox: `url` is its address, `base_url` that of the Apps API."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self.base_url = f"{self.url}/v1"
        self._token = token

    def __repr__(self) -> str:
        return f"<Dimedove {self.url}>"

    def app(self, app_id: str) -> DimedoveApp:
        """Return an app by an id of your choice; `dimedove_app` chooses one, and cleans up."""
        return DimedoveApp(self, app_id)

    def journal(self, **selection: str | int | None) -> list[Entry]:
        """Return the requests of an `app_id`, `operation`, `status`, in the order in which they were sent."""
        rows: list[Entry] = []
        page: dict[str, Any] = {"has_more": True, "last_id": None}
        while page["has_more"]:
            page = self.control("GET", "/requests", query={**selection, "after": page["last_id"], "limit": _PAGE})
            rows += page["data"]
        return rows[::-1]

    def control(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        """Make a call of the control API below `/_sandbox` and return its answer.

        Raises:
            DimedoveError: it was refused, or nobody answered.
        """
        # Slow to import, and a run that never comes here needs none of it.
        from urllib.error import HTTPError
        from urllib.parse import urlencode
        from urllib.request import ProxyHandler, Request, build_opener

        given = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{self.url}/_sandbox{path}" + (f"?{urlencode(given)}" if given else "")
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        # No proxy: what is on loopback is nobody else's business, and a proxy would not find it.
        opener = build_opener(ProxyHandler({}))
        try:
            with opener.open(Request(target, data, headers, method=method), timeout=_LONGEST_CALL) as answer:  # noqa: S310 - the user's own URL
                raw = answer.read()
            return json.loads(raw) if raw else None
        except HTTPError as error:
            with error:
                problem = _message(error.read()) or f"status {error.code}"
        except (OSError, ValueError) as error:
            problem = f"no answer that a sandbox would give: {error}"
        raise DimedoveError(f"{method} {target}: {problem}")


class _Process:
    """The server process of this session; what it writes goes to a file."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        import subprocess

        self._command = " ".join(command)
        self._log = log
        self._seen = 0
        try:
            with log.open("wb") as out:
                self._process = subprocess.Popen(  # noqa: S603 - our own command, or the user's
                    command, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
                )
        except OSError as error:
            raise DimedoveError(f"The sandbox can't be started: {self._command}: {error.strerror}") from None

    def url(self) -> str:
        """Wait until the server says where it is."""
        import time

        late = time.monotonic() + _LONGEST_START
        while not (found := _GREETING.search(self.new_log())):
            if self._process.poll() is not None or time.monotonic() > late:
                code, said = self._process.returncode, self.new_log().strip()
                raise DimedoveError(f"The sandbox did not start: {self._command}: exit code {code}\n{said}")
            time.sleep(0.01)
        self.clear_log()
        return found[1]

    def new_log(self) -> str:
        """Return what the server has written since the log was cleared."""
        return self._log.read_bytes()[self._seen :].decode("utf-8", "replace")

    def clear_log(self) -> None:
        """Begin the log anew: what was written belongs to a test that is over."""
        self._seen = self._log.stat().st_size

    def stop(self) -> None:
        """End the process."""
        import subprocess

        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_APP = pytest.StashKey[DimedoveApp]()
_PROCESS = pytest.StashKey[_Process]()


@pytest.fixture(scope="session")
def dimedove(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dimedove]:
    """A running sandbox, started when the first test asks for it and ended with the session.

    `DIMEDOVE_SANDBOX_URL` uses one that runs already (`DIMEDOVE_SANDBOX_CONTROL_TOKEN` is its token, where it asks for
    one); `DIMEDOVE_SANDBOX_COMMAND` names the command of another installation, as `/opt/sandbox/bin/dimedove-sandbox`.
    """
    environ = os.environ  # noqa: TID251 - a plugin is told so
    token = environ.get(TOKEN_VARIABLE)
    if environ.get(URL_VARIABLE):
        yield _answering(Dimedove(environ[URL_VARIABLE], token=token), f"{URL_VARIABLE}={environ[URL_VARIABLE]}")
        return
    process = _Process(*_command(environ), tmp_path_factory.mktemp("dimedove") / "sandbox.log")
    pytestconfig.stash[_PROCESS] = process
    try:
        yield Dimedove(process.url(), token=token)
    finally:
        process.stop()


@pytest.fixture
def dimedove_app(dimedove: Dimedove, request: pytest.FixtureRequest) -> Iterator[DimedoveApp]:
    """A fresh app for this test alone; everything in it goes with the test."""
    shared = _PROCESS not in request.config.stash
    app = dimedove.app(_app_id(request.node.nodeid, _place() if shared else ""))
    request.node.stash[_APP] = app
    yield app
    # A server that is gone, as after Ctrl-C, has nothing to forget.
    with suppress(DimedoveError):
        app.delete()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show, where a test failed, what its app was asked and what the server wrote meanwhile."""
    report = yield
    app, process = item.stash.get(_APP, None), item.config.stash.get(_PROCESS, None)
    if report.failed and report.when != "teardown" and app:
        report.sections.append((f"Dimedove requests of {app.app_id}", _story(app)))
    if report.failed and process and (log := process.new_log()):
        report.sections.append(("Dimedove Sandbox log", log))
    if report.when == "teardown" and process:
        process.clear_log()
    return report


def _command(environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the command that starts a server, and its environment."""
    import shlex

    own = environ.get(COMMAND_VARIABLE)
    command = shlex.split(own) if own else [sys.executable, "-P", "-m", "sandbox"]
    # On loopback and on a free port, whatever a config file or the environment say.
    return [*command, "serve", "--host", "127.0.0.1", "--port", "0", "--quiet"], _without_shadows(environ)


def _without_shadows(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without folders of PYTHONPATH in which a `sandbox` of the user's own would hide ours."""
    folders = environ.get("PYTHONPATH", "").split(os.pathsep)
    return {**environ, "PYTHONPATH": os.pathsep.join(folder for folder in folders if folder and not _shadows(folder))}


def _shadows(folder: str) -> bool:
    package = Path(folder, "sandbox")
    return (package.exists() and not (package / "contract").exists()) or package.with_suffix(".py").exists()


def _answering(server: Dimedove, source: str) -> Dimedove:
    """Return the server if it is a sandbox that answers."""
    try:
        health = server.control("GET", "/health")
    except DimedoveError as error:
        raise DimedoveError(f"{source}: {error}") from None
    if not isinstance(health, dict) or health.get("sandbox") is not True:
        raise DimedoveError(f"{source}: this is no Dimedove Sandbox")
    return server


def _place() -> str:
    """Return a name of this worker of this run: others may use the same server at the same time."""
    import uuid

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")  # noqa: TID251 - a worker is told so
    return f"{worker}_{uuid.uuid4().hex[:8]}"  # noqa: TID251 - not a value of the sandbox


def _app_id(nodeid: str, place: str) -> str:
    """Return an app id that names its test.

    On a server of our own the same test has the same id in every run, and so the same titles and replies: they come
    from the seed and the app id.
    """
    import hashlib

    digest = hashlib.sha256(f"{nodeid}\n{place}".encode("utf-8", "backslashreplace")).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9]+", "_", nodeid.partition("::")[2] or nodeid).strip("_")[:80]
    worker = place.partition("_")[0]
    return "_".join(filter(None, ("app", name, worker, digest)))


def _message(raw: bytes) -> str | None:
    """Return the message of an error envelope."""
    try:
        return str(json.loads(raw)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return None


def _unverified(question: Mapping[str, Any], result: Mapping[str, Any], server: Dimedove) -> Iterator[str]:
    """Say in lines why the requests are not as they should be."""
    times = question.get("times", {"min": 1})
    low, high = (times.get("min"), times.get("max")) if isinstance(times, dict) else (times, times)
    bounds = (
        f"exactly {low}" if low == high else f"from {low or 0} to {high}" if high is not None else f"at least {low}"
    )
    yield f"expected {bounds} such requests, got {result['count']}:"
    for name in ("app_id", "operation", "status", "headers", "body"):
        if name in question:
            yield f"    {name}: {_json(question[name])}"
    if result["verified"] is None:
        yield f"{result['evicted']} of the entries in question are gone from the journal, so it can't be said."
    elif (closest := result["closest"]) and result["count"] < (low or 0):
        yield f"the nearest miss: {_line(server.control('GET', '/requests/' + closest['id']), question['app_id'])}"
        for miss in closest["misses"]:
            got = f"got {_json(miss['got'])}" if "got" in miss else "nothing is there"
            yield f"    {miss['place']}: expected {_json(miss['expected'])}, {got}"


def _story(app: DimedoveApp) -> str:
    """Return what an app was asked, for a person: the last requests, oldest first, and what still waits."""
    server = app._server
    try:
        entries = server.control("GET", "/requests", query={"app_id": app.app_id, "limit": _MOST_SHOWN})["data"][::-1]
        strays = server.control("GET", "/requests", query={"limit": _PAGE})["data"][::-1]
        waiting = [*app.faults(), *app.replies()]
    except DimedoveError as error:
        return str(error)
    lost = [entry for entry in strays if entry["app_id"] is None and app.app_id in entry["path"]]
    lines = [line for entry in [*lost, *entries] for line in _lines(entry, app.app_id)] or ["no request came"]
    still = [f"still waiting, never used: {_json(thing)}" for thing in waiting if not thing["used"]]
    return "\n".join([*lines, *still])


def _lines(entry: Entry, app_id: str) -> Iterator[str]:
    yield _line(entry, app_id)
    problem = entry["violation"] or (_message(_json(entry["response"]).encode()) if entry["response"] else None)
    yield from (f"    {remark}" for remark in filter(None, [problem, *entry["warnings"]]))


def _line(entry: Entry, app_id: str) -> str:
    """Return a request in one line; the part of the path that all have in common is left out."""
    path = entry["path"].replace(f"/v1/apps/{app_id}", "…") + (f"?{entry['query']}" if entry["query"] else "")
    fault = f"  fault {entry['fault']}" if entry["fault"] else ""
    ended = f"  {entry['ended'].replace('_', ' ')}" if entry["ended"] != "complete" else ""
    return f"{entry['method']:6} {path}  {entry['status'] or 'no answer'}{fault}{ended}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
