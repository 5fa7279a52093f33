"""The rule about streams: they are read to their end, unless they are aborted on purpose."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.apps.journal import RequestRecord
from sandbox.control.entries import answer_of
from sandbox.control.verdict.evidence import in_short, is_stream
from sandbox.control.verdict.findings import Finding, Seen

# So many streams left, and none read to its end: that is no decision any more.
HABIT = 3


def unread_streams(seen: Seen) -> Iterator[Finding]:
    """Find streams that the client left though it can hardly have meant to.

    A client that leaves in the midst of a text may have been told to stop: once or twice that is right. A stream that
    is left when its text is whole was taken for finished. One that went silent is rightly given up.
    """
    streams = [entry for entry in seen.entries if is_stream(entry)]
    left = [entry for entry in streams if entry.ended == "client_gone" and entry.fault != "stream_stall"]
    early = []
    for entry in left:
        if _text_is_whole(entry):
            yield Finding(f"{in_short(entry)}: left when its text was whole, before its last event", [entry])
        else:
            early.append(entry)
    if len(early) >= HABIT and not any(entry.ended == "complete" for entry in streams):
        yield Finding(f"{len(early)} streams were left, and none was read to its end", early)


def _text_is_whole(entry: RequestRecord) -> bool:
    """Say whether a text was done and nothing else was begun."""
    names = [event["event"] for event in answer_of(entry)]
    if "response.output_text.done" not in names:
        return False
    after = names[len(names) - names[::-1].index("response.output_text.done") :]
    return not any(name.endswith(".delta") for name in after)
