"""The sandbox as a test holds it: the running server, one app of it, that app's clock."""

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

# A failure is shown where the test stands, not in here.
__tracebackhide__ = True

_MOST_SHOWN = 20
_PAGE = 100


class Clock:
    """The time of one app: `created_at` and rate limits follow it."""

    def __init__(self, app: DimedoveApp) -> None:
        self._app = app

    def now(self) -> int:
        """Return the app's time in whole Unix seconds."""
        return int(self._app.control("GET", "/clock")["now"])

    def freeze(self, now: int | datetime | None = None) -> int:
        """Stop the app's time, at `now` or where it is, and return it."""
        moment = self.now() if now is None else now if isinstance(now, int) else int(now.timestamp())
        return int(self._app.control("PUT", "/clock", {"now": moment})["now"])

    def advance(self, seconds: float) -> int:
        """Move the app's time forward, freezing it there, and return it in whole seconds."""
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

    def release(self, fault: Mapping[str, Any] | str) -> None:
        """Let the requests go on that a fault with `until="released"` holds now: the queued fault, or its id."""
        self.control("POST", f"/faults/{fault if isinstance(fault, str) else fault['id']}/release")

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
            raise AssertionError("\n".join(report.unverified(question, result, self._entry)))
        return int(result["count"])

    def verdict(self) -> Verdict:
        """Return how the client has behaved so far; the marker `dimedove_verdict` fails a test on it."""
        found: Verdict = self.control("GET", "/verdict")
        return found

    def settings(self, **changes: Unpack[SettingChanges]) -> dict[str, Any]:
        """Change settings of the app, if any are given, and return those in force."""
        shown = self.control("PATCH", "", changes) if changes else self.control("GET", "")
        return dict(shown["settings"])

    def populate(
        self,
        conversations: int,
        *,
        messages: int | None = None,
        users: int | None = None,
        external_user_id: str | None = None,
    ) -> dict[str, int]:
        """Add realistic conversations of the past 30 days, all of one user if one is named; return the app's counts."""
        more = {"messages": messages, "users": users, "external_user_id": external_user_id}
        given = {name: value for name, value in more.items() if value is not None}
        return dict(self.control("POST", "/populate", {"conversations": conversations, **given}))

    def bundle(self, path: str | Path) -> Path:
        """Write a file with all that the app was asked and answered, for `dimedove-sandbox replay`; return its path."""
        content = self._server.fetch(f"/apps/{self.app_id}/bundle")
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def delete(self) -> None:
        """Forget everything of the app; its next use starts afresh."""
        self.control("DELETE", "")

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Make a call of the control API below `/_sandbox/apps/{app_id}` and return its answer."""
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
        """Stand at another address from now on."""
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
        """Make a call of the control API below `/_sandbox` and return its answer.

        Raises:
            DimedoveError: it was refused, or nobody answered.
        """
        return call(method, f"{self.url}/_sandbox{path}", body, query=query, token=self._token)

    def fetch(self, path: str) -> bytes:
        """Return a file of the control API.

        Raises:
            DimedoveError: it was refused, or nobody answered.
        """
        return fetch("GET", f"{self.url}/_sandbox{path}", token=self._token)


def kept(app: DimedoveApp, folder: Path) -> str:
    """Write the bundle of an app into a folder; return what to say of it."""
    try:
        path = app.bundle(folder / f"{app.app_id}.zip")
    except (DimedoveError, OSError) as error:
        return f"not written: {error}"
    return f"dimedove-sandbox replay {shlex.quote(str(path))}"


def story(app: DimedoveApp) -> str:
    """Return what an app was asked, for a person: the last requests, oldest first, and what still waits."""
    server = app._server
    try:
        entries = server.control("GET", "/requests", query={"app_id": app.app_id, "limit": _MOST_SHOWN})["data"][::-1]
        strays = server.control("GET", "/requests", query={"limit": _PAGE})["data"][::-1]
        waiting = [*app.faults(), *app.replies()]
    except DimedoveError as error:
        return str(error)
    lost = [entry for entry in strays if entry["app_id"] is None and app.app_id in entry["path"]]
    return report.story(app.app_id, [*lost, *entries], waiting)


def objections(app: DimedoveApp, ignore: Collection[str]) -> str:
    """Return what is held against the client of an app, for a person; empty where nothing is.

    What the rules in `ignore` find doesn't count.
    """
    if unknown := set(ignore) - set(get_args(VerdictRule)):
        return f"dimedove_verdict: there is no rule {', '.join(sorted(unknown))}"
    verdict = app.verdict()
    findings = [finding for finding in verdict["findings"] if finding["rule"] not in ignore]
    return "\n".join(report.unclean(verdict, findings, app._entry)) if findings or verdict["evicted"] else ""
