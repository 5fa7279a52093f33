"""Writes requests as a script for any POSIX shell: curl, the key in a variable, long bodies made by commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from itertools import count

from sandbox.conformance.exchange import Answer, Origin, Request
from sandbox.conformance.shown import Masked

_REPEATED = re.compile(rb"(.{1,8}?)\1{99,}", re.DOTALL)
_PLAIN = re.compile(rb"[\x20-\x7e]*")
_LONG = 4_000

# Shows an answer, and keeps the id in it.
_ID = """id() {
  tee /dev/stderr | grep -o '"id": *"[^"]*"' | head -n 1 | cut -d '"' -f 4
}"""
_COLUMNS = 76


def script(answers: Sequence[Answer], origin: Origin, masked: Masked) -> str:
    """Return the shell script that sends the same requests again; what one creates is known to those after it."""
    names: dict[str, str] = {}
    lines: list[str] = []
    numbers = count(1)
    for place, answer in enumerate(answers):
        command = _command(answer.request, origin, masked, names)
        one = answer.object.get("id")
        later = answers[place + 1 :]
        if answer.request.creates and isinstance(one, str) and any(_names(each.request, one) for each in later):
            names[one] = f"ID{next(numbers)}"
            lines.append(f"{names[one]}=$({command} | id)")
        else:
            lines.append(command)
    return "\n".join([*([_ID] if names else []), *lines])


def _command(request: Request, origin: Origin, masked: Masked, names: Mapping[str, str]) -> str:
    method = "--head" if request.method == "HEAD" else f"-X {request.method}" if request.method != "GET" else ""
    words = [f"curl -sS --globoff --path-as-is {method}".rstrip(), _word(f"{origin}{request.target}", masked, names)]
    words += ["-H " + _word(f"{name}: {value}", masked, names) for name, value in request.headers]
    if request.body is None:
        return _joined(words)
    if not any(name.lower() == "content-type" for name, _ in request.headers):
        words.append("-H 'Content-Type:'")
    if len(request.body) <= _LONG and _is_text(request.body):
        return _joined([*words, "--data-binary " + _word(request.body.decode(), masked, names)])
    return _joined([_printed(masked.body(request.body)) + " |", *words, "--data-binary @-"])


def _joined(words: Sequence[str]) -> str:
    """Write a command in one line, or in several that a shell reads as one."""
    line = " ".join(words)
    return line if len(line) <= _COLUMNS else " \\\n  ".join(words)


def _word(text: str, masked: Masked, names: Mapping[str, str]) -> str:
    """Quote a text for a shell; ids and keys in it become variables."""
    pieces: list[str] = []
    for literal, key in masked.split(text):
        pieces += _with_ids(literal, names)
        if key:
            pieces.append(f'"${key}"')
    return "".join(pieces) or "''"


def _with_ids(text: str, names: Mapping[str, str]) -> list[str]:
    pieces: list[str] = []
    while text:
        place, one = min(((text.find(one), one) for one in names if one in text), default=(len(text), ""))
        if text[:place]:
            pieces.append(shlex.quote(text[:place]))
        if one:
            pieces.append(f'"${names[one]}"')
        text = text[place + len(one) :]
    return pieces


def _is_text(raw: bytes) -> bool:
    if raw.startswith(b"@") or b"\x00" in raw:
        return False
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _printed(raw: bytes) -> str:
    """Return a command that prints these bytes."""
    commands: list[str] = []
    place = 0
    for found in _REPEATED.finditer(raw):
        if found.start() > place:
            commands.append(_printf(raw[place : found.start()]))
        commands.append(_repeated(found[1], len(found[0]) // len(found[1])))
        place = found.end()
    if place < len(raw):
        commands.append(_printf(raw[place:]))
    return commands[0] if len(commands) == 1 else "{ " + "; ".join(commands or [":"]) + "; }"


def _printf(raw: bytes) -> str:
    if _PLAIN.fullmatch(raw):
        return f"printf %s {shlex.quote(raw.decode())}"
    return f"printf '{_octal(raw)}'"


def _repeated(unit: bytes, times: int) -> str:
    if len(unit) == 1:
        return f"head -c {times} /dev/zero | tr '\\0' '{_octal(unit)}'"
    return f"printf '{_octal(unit)}%.0s' $(seq {times})"


def _octal(raw: bytes) -> str:
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\{byte:03o}" for byte in raw)


def _names(request: Request, one: str) -> bool:
    return one in request.target or one.encode() in (request.body or b"")
