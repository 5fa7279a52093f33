"""Writes the curl command that repeats a request, for any POSIX shell."""

from __future__ import annotations

import shlex

from sandbox.apps.journal import RequestRecord
from sandbox.control.entries import text
from sandbox.redaction import Redactor

# curl makes these by itself, or they belong to the connection.
_LEFT_OUT = frozenset({b"host", b"content-length", b"connection", b"transfer-encoding", b"expect"})
# What curl would add by itself, if the request did not have it.
_UNASKED = (b"accept", b"user-agent", b"content-type")
# A longer argument is refused by the system (128 KiB on Linux).
_LONGEST_ARGUMENT = 100_000
_PIECE = 20_000


def curl(entry: RequestRecord, redactor: Redactor) -> str:
    """Return one shell command; the key stands in `$DIMEDOVE_API_KEY`, other secrets are masked."""
    host = next((value for name, value in entry.headers if name == b"host"), b"127.0.0.1:8010")
    target = text(entry.path) + (f"?{text(entry.query)}" if entry.query else "")
    url = redactor.redact_text(f"{entry.scheme}://{text(host)}{target}")
    words = ["curl", "--globoff", "--path-as-is", *_method(entry), shlex.quote(url)]
    sent = {name for name, _ in entry.headers}
    for name, value in entry.headers:
        if name not in _LEFT_OUT:
            words += ["-H", _header(name, value, redactor)]
    for name in _UNASKED:
        if name not in sent and (entry.body or name != b"content-type"):
            words += ["-H", shlex.quote(f"{text(name)}:")]
    return _with_body(words, entry.body, redactor) + "\n"


def _method(entry: RequestRecord) -> list[str]:
    if entry.method != "HEAD":
        return ["-X", entry.method]
    # With -X HEAD curl waits for the body that the answer's length tells of; --head takes no body to send.
    return ["-X", "HEAD", "--ignore-content-length", "-H", "'connection: close'"] if entry.body else ["--head"]


def _header(name: bytes, value: bytes, redactor: Redactor) -> str:
    scheme, _, token = text(value).partition(" ")
    if name == b"authorization" and token.strip().startswith("sk_") and scheme.lower() == "bearer":
        return f'"authorization: {scheme} $DIMEDOVE_API_KEY"'
    # An empty value needs a semicolon, or curl drops the header.
    if not value:
        return shlex.quote(f"{text(name)};")
    try:
        return shlex.quote(f"{text(name)}: {redactor.redact_header(text(name), value.decode())}")
    except UnicodeDecodeError:
        masked = redactor.redact_header(text(name), text(value)).encode("latin-1", "replace")
        return f'"$({_printf(name + b": " + masked)})"'


def _printf(raw: bytes) -> str:
    """Return the command that writes these bytes in any shell."""
    return "printf '" + "".join(f"\\{byte:03o}" for byte in raw) + "'"


def _with_body(words: list[str], body: bytes, redactor: Redactor) -> str:
    if not body:
        return " ".join(words)
    try:
        raw = redactor.redact_text(body.decode()).encode()
        is_argument = b"\0" not in raw and len(raw) <= _LONGEST_ARGUMENT
    except UnicodeDecodeError:
        raw, is_argument = redactor.redact_text(text(body)).encode("latin-1", "replace"), False
    if is_argument:
        return " ".join([*words, "--data-raw", shlex.quote(raw.decode())])
    # What no argument can hold goes through a pipe.
    pieces = [raw[start : start + _PIECE] for start in range(0, len(raw), _PIECE)]
    printed = "; ".join(map(_printf, pieces))
    return f"{{ {printed}; }} | " + " ".join([*words, "--data-binary", "@-"])
