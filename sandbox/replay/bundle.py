"""Reads a bundle: the file that `GET /_sandbox/apps/{app_id}/bundle` writes."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile, ZipFile

from sandbox.errors import SandboxError

VERSION = 1

Headers = Sequence[tuple[str, str]]


class BundleError(SandboxError):
    """A file can't be replayed; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered; `status` is None where no answer began, `ended` says how it ended."""

    status: int | None
    headers: Headers
    body: bytes
    ended: Literal["complete", "client_gone", "cut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request of a client, when it came (Unix seconds), and what it got."""

    at: int
    method: str
    target: str
    headers: Headers
    body: bytes
    answer: Answer
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """One call of the control API that changed the app."""

    at: int
    method: str
    path: str
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What was done to one app from the state `baseline` on.

    `server` are the settings of the server on which its answers depend.
    """

    app_id: str
    seed: str
    sandbox: str
    server: Mapping[str, Any]
    baseline: Mapping[str, Any]
    steps: Sequence[Asked | Set]


def read(path: Path) -> Bundle:
    """Read a file.

    Raises:
        BundleError: it is no bundle, of a newer version, or not all of what was asked is in it.
    """
    about = _json(path, "bundle.json")
    if not isinstance(about, dict) or about.get("object") != "bundle":
        raise BundleError(f"{path}: this is no bundle of the sandbox")
    if about.get("version") != VERSION:
        raise BundleError(f"{path}: expected a bundle of version {VERSION}, got version {about.get('version')}")
    if about.get("complete") is not True:
        reasons = "; ".join(map(str, about.get("lost", [])))
        raise BundleError(f"{path}: it can't be replayed, as not all is in it: {reasons}")
    try:
        return Bundle(
            app_id=about["app_id"],
            seed=about["origin"]["seed"],
            sandbox=about["sandbox"],
            server=about["server"],
            baseline=_json(path, "baseline.json"),
            steps=[_step(step) for step in _json(path, "steps.json")],
        )
    except (KeyError, TypeError, ValueError, NotBase64, AttributeError) as error:
        raise BundleError(f"{path}: the bundle is damaged: {error!r}") from None


def _json(path: Path, name: str) -> Any:
    try:
        with ZipFile(path) as archive:
            return json.loads(archive.read(name))
    except OSError as error:
        raise BundleError(f"{path}: can't be read: {error.strerror}") from None
    except (BadZipFile, KeyError):
        raise BundleError(f"{path}: this is no bundle of the sandbox") from None
    except ValueError:
        raise BundleError(f"{path}: the bundle is damaged: {name} is not JSON") from None


def _step(step: Mapping[str, Any]) -> Asked | Set:
    if step["kind"] == "control":
        return Set(at=step["at"], method=step["method"], path=step["path"], body=step["body"])
    answer = step["answer"]
    return Asked(
        at=step["at"],
        method=step["method"],
        target=step["target"],
        headers=[(name, value) for name, value in step["headers"]],
        body=_body(step["body"]),
        answer=Answer(
            status=answer["status"],
            headers=[(name, value) for name, value in answer["headers"]],
            body=_body(answer["body"]),
            ended=answer["ended"],
        ),
        duration_ms=step["duration_ms"],
    )


def _body(body: Mapping[str, str]) -> bytes:
    return body["text"].encode() if "text" in body else b64decode(body["base64"])
