"""The constant responses of the baselines: of the same shape and size as those of the sandbox."""

from __future__ import annotations

import json
from typing import Any

EVENTS = 50

_ID = "5f0c1c68-7d0e-4b5e-9a51-0d6f3c1e2b47"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _conversation(number: int = 0) -> dict[str, Any]:
    return {
        "id": f"{_ID[:-4]}{number:04x}",
        "created_at": 1_790_000_000 + number,
        "object": "conversation",
        "external_user_id": f"user_{number:06}",
        "title": "Support inquiry",
        "generated_title": {"en-ca": "Question about a term policy", "fr-ca": "Question sur une assurance temporaire"},
        "metadata": {"first_name": "John", "plan_type": "term_life"},
    }


def _item(role: str, text: str) -> dict[str, Any]:
    return {
        "id": "msg_0123456789abcdef01234567",
        "role": role,
        "created_at": 1_790_000_000,
        "type": "message",
        "parts": [{"type": "text", "text": text}],
    }


_ITEMS = [
    _item("user", "Hello! Can I change my plan before the next renewal?"),
    _item("assistant", "Hi John! Yes, you can change your plan at any time before it renews. Shall I show you how?"),
]
_ROWS = [_conversation(number) for number in range(20)]

CONVERSATION = _json(_conversation())
DETAIL = _json({**_conversation(), "items": _ITEMS * 2})
LIST = _json(
    {"data": _ROWS, "object": "list", "first_id": _ROWS[0]["id"], "last_id": _ROWS[-1]["id"], "has_more": True}
)
RESPONSE = _json(
    {
        "id": "resp_0123456789abcdef01234567",
        "created_at": 1_790_000_000,
        "conversation_id": _ID,
        "object": "response",
        "output": [{"type": "message", "role": "assistant", "content": _ITEMS[1]["parts"]}],
        "status": "completed",
    }
)
CONFIG = _json(
    {
        "app_id": "app_x",
        "stream": False,
        "generative_ui": False,
        "agent": {"name": "Camille", "config": {"primary_color": "#0b6e4f", "secondary_color": "#e6f4ee"}},
    }
)


def _event(name: str, **data: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _json({"type": name, **data}))


_PLACE = {"output_index": 0, "content_index": 0}
STREAM = (
    _event("response.created", id="resp_0123456789abcdef01234567", status="in_progress", conversation_id=_ID),
    *(_event("response.output_text.delta", delta="insurance ", **_PLACE) for _ in range(EVENTS - 4)),
    _event("response.output_text.done", text="insurance " * (EVENTS - 4), **_PLACE),
    _event("response.output_item.done", item={"type": "message", "text": "insurance " * (EVENTS - 4)}, output_index=0),
    _event("response.completed", id="resp_0123456789abcdef01234567", status="completed"),
)
