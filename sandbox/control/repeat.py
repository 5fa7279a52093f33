"""Writes the curl command that repeats a request."""

from __future__ import annotations

import shlex

from sandbox.control.entries import text
from sandbox.masking import Masker
from sandbox.state.journal import Entry

# curl makes these by itself, or they belong to the connection.
_LEFT_OUT = frozenset({b"host", b"content-length", b"connection", b"transfer-encoding", b"expect"})
# What curl would add by itself, if the request did not have it.
_UNASKED = (b"accept", b"user-agent", b"content-type")


def curl(entry: Entry, masker: Masker) -> str:
    """Return one shell command; the key stands in `$DIMEDOVE_API_KEY`."""
    host = next((value for name, value in entry.headers if name == b"host"), b"127.0.0.1:8010")
    target = text(entry.path) + (f"?{text(entry.query)}" if entry.query else "")
    words = ["curl", "--globoff", "--path-as-is", "-X", entry.method, shlex.quote(f"http://{text(host)}{target}")]
    sent = {name for name, _ in entry.headers}
    for name, value in entry.headers:
        if name not in _LEFT_OUT:
            words += ["-H", _header(text(name), text(value), masker)]
    for name in _UNASKED:
        if name not in sent and (entry.body or name != b"content-type"):
            words += ["-H", shlex.quote(f"{text(name)}:")]
    return _with_body(words, entry.body, masker) + "\n"


def _header(name: str, value: str, masker: Masker) -> str:
    scheme, _, token = value.partition(" ")
    if name == "authorization" and token.strip().startswith("sk_"):
        return f'"authorization: {scheme} $DIMEDOVE_API_KEY"' if scheme.isalpha() else shlex.quote(f"{name}: …")
    # An empty value needs a semicolon, or curl drops the header.
    return shlex.quote(masker.text(f"{name}: {value}") if value else f"{name};")


def _with_body(words: list[str], body: bytes, masker: Masker) -> str:
    if not body:
        return " ".join(words)
    try:
        return " ".join([*words, "--data-raw", shlex.quote(masker.text(_shell_safe(body)))])
    except ValueError:
        # Bytes that no shell argument can hold go through a pipe.
        octal = "".join(f"\\{byte:03o}" for byte in body)
        return f"printf '{octal}' | " + " ".join([*words, "--data-binary", "@-"])


def _shell_safe(body: bytes) -> str:
    decoded = body.decode()
    if "\0" in decoded:
        raise ValueError("a shell argument can't hold a zero byte")
    return decoded
