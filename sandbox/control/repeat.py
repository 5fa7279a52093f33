"""Writes the curl command that repeats a request, for bash."""

from __future__ import annotations

import shlex

from sandbox.control.entries import text
from sandbox.masking import Masker
from sandbox.state.entry import Entry

# curl makes these by itself, or they belong to the connection.
_LEFT_OUT = frozenset({b"host", b"content-length", b"connection", b"transfer-encoding", b"expect"})
# What curl would add by itself, if the request did not have it.
_UNASKED = (b"accept", b"user-agent", b"content-type")
# A longer argument is refused by the system (128 KiB on Linux).
_LONGEST_ARGUMENT = 100_000
_PIECE = 20_000


def curl(entry: Entry, masker: Masker) -> str:
    """Return one shell command; the key stands in `$DIMEDOVE_API_KEY`, other secrets are masked."""
    host = next((value for name, value in entry.headers if name == b"host"), b"127.0.0.1:8010")
    target = text(entry.path) + (f"?{text(entry.query)}" if entry.query else "")
    url = masker.text(f"{entry.scheme}://{text(host)}{target}")
    words = ["curl", "--globoff", "--path-as-is", "-X", entry.method, shlex.quote(url)]
    sent = {name for name, _ in entry.headers}
    for name, value in entry.headers:
        if name not in _LEFT_OUT:
            words += ["-H", _header(name, value, masker)]
    for name in _UNASKED:
        if name not in sent and (entry.body or name != b"content-type"):
            words += ["-H", shlex.quote(f"{text(name)}:")]
    return _with_body(words, entry.body, masker) + "\n"


def _header(name: bytes, value: bytes, masker: Masker) -> str:
    scheme, _, token = text(value).partition(" ")
    if name == b"authorization" and token.strip().startswith("sk_"):
        return f'"authorization: {scheme} $DIMEDOVE_API_KEY"' if scheme.isalpha() else shlex.quote("authorization: …")
    # An empty value needs a semicolon, or curl drops the header.
    return _quoted(name + b": " + value if value else name + b";", masker)


def _quoted(raw: bytes, masker: Masker) -> str:
    """Return a shell word that stands for these bytes."""
    try:
        return shlex.quote(masker.text(raw.decode()))
    except UnicodeDecodeError:
        masked = masker.text(text(raw)).encode("latin-1", "replace")
        return "$'" + "".join(_escaped(byte) for byte in masked) + "'"


def _escaped(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 and chr(byte) not in "'\\" else f"\\x{byte:02x}"


def _with_body(words: list[str], body: bytes, masker: Masker) -> str:
    if not body:
        return " ".join(words)
    try:
        decoded = masker.text(body.decode())
    except UnicodeDecodeError:
        decoded = None
    if decoded is not None and "\0" not in decoded and len(decoded.encode()) <= _LONGEST_ARGUMENT:
        return " ".join([*words, "--data-raw", shlex.quote(decoded)])
    # What no argument can hold goes through a pipe.
    raw = body if decoded is None else decoded.encode()
    pieces = [raw[start : start + _PIECE] for start in range(0, len(raw), _PIECE)]
    printed = "; ".join("printf '" + "".join(f"\\{byte:03o}" for byte in piece) + "'" for piece in pieces)
    return f"{{ {printed}; }} | " + " ".join([*words, "--data-binary", "@-"])
