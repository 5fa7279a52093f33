"""What a test uses: the running server, one app of it, that app's clock."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, get_args

from pytest_dimedove import report
from pytest_dimedove.control import DimedoveError, call, fetch
from pytest_dimedove.fields import (
    Entry,
    FaultFields,
    FaultKind,
    Operation,
    ReplyRules,
    SettingChanges,
    Verdict,
    VerdictRule,
    Wanted,
)

if TYPE_CHECKING:
    from datetime import datetime

KEY = "sk_test_pytest"

# A failure is app where the test stands, not in here.
__tracebackhide__ = True

_MAX_REQUESTS = 20
_PAGE = 100


class Clock:
    """The time of one app: `created_at` and rate limits follow it."""

    def __init__(self, app: DimedoveApp) -> None:
        self._app = app

    def now(self) -> int:
        """Return the app's time in whole Unix seconds."""
        return int(self._app.control("GET", "/clock")["now"])

    def freeze(self, now: int | datetime | None = None) -> int:
        """Freeze the app's time, at `now` or where it is, and return it."""
        moment = self.now() if now is None else now if isinstance(now, int) else int(now.timestamp())
        return int(self._app.control("PUT", "/clock", {"now": moment})["now"])

    def advance(self, seconds: float) -> int:
        """Move the app's time forward, freeze it there, and return it in whole seconds."""
        return int(self._app.control("POST", "/clock/advance", {"seconds": seconds})["now"])

    def reset(self) -> None:
        """Return the app to real time."""
        self._app.control("DELETE", "/clock")


class DimedoveApp:
    """One app of the sandbox, separate from all others: no other test sees what a test does here.

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
        """Queue a fault for the next request (or see `operation`, `skip`, `times`) and return it."""
        queued: dict[str, Any] = self.control("POST", "/faults", {"kind": kind, **fields})
        return queued

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that still wait, oldest first."""
        return list(self.control("GET", "/faults")["data"])

    def release(self, fault: Mapping[str, Any] | str) -> None:
        """Let the requests go on that a fault with `until="released"` holds now: the queued fault, or its id."""
        self.control("POST", f"/faults/{fault if isinstance(fault, str) else fault['id']}/release")

    def clear_faults(self) -> None:
        """Remove the faults that still wait."""
        self.control("DELETE", "/faults")

    def reply(self, *output: str | Mapping[str, Any], **rules: Unpack[ReplyRules]) -> dict[str, Any]:
        """Script the agent's reply to the next message and return it as queued; a text is a `message` item."""
        items = [{"type": "message", "text": item} if isinstance(item, str) else item for item in output]
        queued: dict[str, Any] = self.control("POST", "/replies", {"output": items, **rules})
        return queued

    def replies(self) -> list[dict[str, Any]]:
        """Return the scripted replies that still wait, oldest first."""
        return list(self.control("GET", "/replies")["data"])

    def clear_replies(self) -> None:
        """Remove the scripted replies that still wait."""
        self.control("DELETE", "/replies")

    def requests(self, operation: Operation | str | None = None, *, status: int | None = None) -> list[Entry]:
        """Return the client's requests and their responses, oldest first."""
        return self._server.journal(app_id=self.app_id, operation=operation, status=status)

    def verify(self, operation: Operation | str | None = None, **wanted: Unpack[Wanted]) -> int:
        """Assert that matching requests were sent, at least one unless `times` says otherwise; return their number.

        Raises:
            AssertionError: the number is wrong; the message shows the closest request field by field.
        """
        question = {"app_id": self.app_id, **({"operation": operation} if operation else {}), **wanted}
        result = self._server.control("POST", "/requests/verify", question)
        if result["verified"] is not True:
            raise AssertionError("\n".join(report.describe_verify(question, result, self._entry)))
        return int(result["count"])

    def scenario(self, name: str | None) -> dict[str, Any]:
        """Put a scenario of the config, or a ready-made one, on the app, and return the app; None takes it off."""
        app: dict[str, Any] = self.control("PUT", "/scenario", {"name": name})
        return app

    def coverage(self) -> dict[str, Any]:
        """Return what of the contract the client has met so far; `--dimedove-coverage` shows that of a whole run."""
        found: dict[str, Any] = self.control("GET", "/coverage")
        return found

    def verdict(self) -> Verdict:
        """Return the verdict on the client so far; the marker `dimedove_verdict` fails a test on it."""
        found: Verdict = self.control("GET", "/verdict")
        return found

    def settings(self, **changes: Unpack[SettingChanges]) -> dict[str, Any]:
        """Change settings of the app, if any are given, and return all settings."""
        app = self.control("PATCH", "", changes) if changes else self.control("GET", "")
        return dict(app["settings"])

    def populate(
        self,
        conversations: int,
        *,
        messages: int | None = None,
        users: int | None = None,
        external_user_id: str | None = None,
    ) -> dict[str, int]:
        """Add realistic conversations of the past 30 days, of one user if you name one; return the app's counts."""
        more = {"messages": messages, "users": users, "external_user_id": external_user_id}
        given = {name: value for name, value in more.items() if value is not None}
        return dict(self.control("POST", "/populate", {"conversations": conversations, **given}))

    def bundle(self, path: str | Path) -> Path:
        """Write the app's bundle into a file, for `dimedove-sandbox replay`; return its path."""
        content = self._server.fetch(f"/apps/{self.app_id}/bundle")
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def delete(self) -> None:
        """Delete everything of the app; its next use starts afresh."""
        self.control("DELETE", "")

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Make a call of the control API below `/_sandbox/apps/{app_id}` and return its response."""
        return self._server.control(method, f"/apps/{self.app_id}{path}", body)

    def _entry(self, entry_id: str) -> Entry:
        entry: Entry = self._server.control("GET", f"/requests/{entry_id}")
        return entry


class Dimedove:
    """A running sandbox: `url` is its address, `base_url` that of the Apps API."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self._token = token
        self.move(url)

    def __repr__(self) -> str:
        return f"<Dimedove {self.url}>"

    def move(self, url: str) -> None:
        """Use another address from now on."""
        self.url = url.rstrip("/").removesuffix("/v1")
        self.base_url = f"{self.url}/v1"

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
        """Make a call of the control API below `/_sandbox` and return its response.

        Raises:
            DimedoveError: it was refused, or there was no response.
        """
        return call(method, f"{self.url}/_sandbox{path}", body, query=query, token=self._token)

    def fetch(self, path: str) -> bytes:
        """Return a file of the control API.

        Raises:
            DimedoveError: it was refused, or there was no response.
        """
        return fetch("GET", f"{self.url}/_sandbox{path}", token=self._token)


def write_bundle(app: DimedoveApp, folder: Path) -> str:
    """Write the bundle of an app into a folder; return the command that replays it."""
    try:
        path = app.bundle(folder / f"{app.app_id}.zip")
    except (DimedoveError, OSError) as error:
        return f"not written: {error}"
    return f"dimedove-sandbox replay {shlex.quote(str(path))}"


def describe_requests(app: DimedoveApp) -> str:
    """Return the last requests of an app as text, oldest first, and the unused faults and replies."""
    server = app._server
    try:
        entries = server.control("GET", "/requests", query={"app_id": app.app_id, "limit": _MAX_REQUESTS})["data"][::-1]
        strays = server.control("GET", "/requests", query={"limit": _PAGE})["data"][::-1]
        waiting = [*app.faults(), *app.replies()]
    except DimedoveError as error:
        return str(error)
    lost = [entry for entry in strays if entry["app_id"] is None and app.app_id in entry["path"]]
    return report.describe_requests(app.app_id, [*lost, *entries], waiting)


def describe_failure(app: DimedoveApp, ignore: Collection[str]) -> str:
    """Return the failure of a marked test as text, empty where there is none.

    Findings of the rules in `ignore` don't count.
    """
    if unknown := set(ignore) - set(get_args(VerdictRule)):
        return f"dimedove_verdict: unknown rule {', '.join(sorted(unknown))}"
    verdict = app.verdict()
    findings = [finding for finding in verdict["findings"] if finding["rule"] not in ignore]
    return "\n".join(report.describe_verdict(verdict, findings, app._entry)) if findings or verdict["evicted"] else ""
