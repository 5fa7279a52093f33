"""The mock that a competent engineer writes in an afternoon: FastAPI, pydantic models, a dict that keeps what came.

No contract check of its answers, no order of checks, no determinism, no agent: it shows what that costs in the field.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

TITLES = [
    {"en-ca": "Question about a policy", "fr-ca": "Question sur une police"},
    {"en-ca": "Change of address", "fr-ca": "Changement d'adresse"},
    {"en-ca": "Claim follow-up", "fr-ca": "Suivi d'une réclamation"},
]


class ConversationCreate(BaseModel):
    external_user_id: str | None = None
    title: str | None = None
    metadata: dict[str, Any] | None = None


class Conversation(ConversationCreate):
    id: str
    created_at: int
    object: Literal["conversation"] = "conversation"
    generated_title: dict[str, str] | None = None


class Part(BaseModel):
    type: Literal["text"] = "text"
    text: str


class Item(BaseModel):
    id: str
    role: Literal["user", "assistant"]
    created_at: int
    type: Literal["message"] = "message"
    parts: list[Part]


class ConversationDetail(Conversation):
    items: list[Item] = []


class ConversationList(BaseModel):
    data: list[Conversation]
    object: Literal["list"] = "list"
    first_id: str | None
    last_id: str | None
    has_more: bool


class MessageInput(BaseModel):
    content: str
    role: Literal["user"] = "user"


class SendMessage(BaseModel):
    message: MessageInput
    stream: bool | None = None
    metadata: dict[str, Any] | None = None


class OutputMessage(BaseModel):
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    content: list[Part]


class AgentResponse(BaseModel):
    id: str
    created_at: int
    conversation_id: str
    object: Literal["response"] = "response"
    output: list[OutputMessage]
    status: Literal["completed", "failed"] = "completed"


class Look(BaseModel):
    primary_color: str | None = "#0b6e4f"
    secondary_color: str | None = "#e6f4ee"


class Agent(BaseModel):
    name: str | None = "Camille"
    config: Look = Field(default_factory=Look)


class AppConfig(BaseModel):
    app_id: str
    stream: bool = False
    generative_ui: bool = False
    agent: Agent = Field(default_factory=Agent)


app = FastAPI()
bearer = HTTPBearer()
store: dict[str, dict[str, ConversationDetail]] = {}


async def authorized(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> None:
    if not credentials.credentials.startswith("sk_"):
        raise HTTPException(401, "invalid key")


def now() -> int:
    return int(time.time())  # noqa: TID251 - no part of the sandbox, and this is how such mocks are written


def hex_id(prefix: str) -> str:
    return f"{prefix}_{random.getrandbits(96):024x}"


def find(app_id: str, conversation_id: str) -> ConversationDetail:
    conversation = store.get(app_id, {}).get(conversation_id)
    if conversation is None:
        raise HTTPException(404, "no such conversation")
    return conversation


@app.post("/v1/apps/{app_id}/conversations", dependencies=[Depends(authorized)])
async def create_conversation(app_id: str, body: ConversationCreate) -> Conversation:
    conversation = ConversationDetail(
        id=str(UUID(int=random.getrandbits(128), version=4)),
        created_at=now(),
        generated_title=random.choice(TITLES),  # noqa: TID251
        **body.model_dump(),
    )
    store.setdefault(app_id, {})[conversation.id] = conversation
    return conversation


@app.get("/v1/apps/{app_id}/conversations", dependencies=[Depends(authorized)])
async def list_conversations(
    app_id: str,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
) -> ConversationList:
    rows = sorted(store.get(app_id, {}).values(), key=lambda row: row.created_at, reverse=order == "desc")
    start = next((number + 1 for number, row in enumerate(rows) if row.id == after), 0) if after else 0
    page = rows[start : start + limit]
    return ConversationList(
        data=list[Conversation](page),
        first_id=page[0].id if page else None,
        last_id=page[-1].id if page else None,
        has_more=len(rows) > start + limit,
    )


@app.get("/v1/apps/{app_id}/conversations/{conversation_id}", dependencies=[Depends(authorized)])
async def get_conversation(app_id: str, conversation_id: str) -> ConversationDetail:
    return find(app_id, conversation_id)


@app.post(
    "/v1/apps/{app_id}/conversations/{conversation_id}",
    dependencies=[Depends(authorized)],
    response_model=AgentResponse,
)
async def send_message(app_id: str, conversation_id: str, body: SendMessage) -> Any:
    conversation = find(app_id, conversation_id)
    if body.metadata is not None:
        conversation.metadata = body.metadata
    name = (conversation.metadata or {}).get("first_name", "there")
    content = body.message.content
    text = content.removeprefix("[[echo]] ") if content.startswith("[[echo]]") else f"Hi {name}! How can I help?"
    keep(conversation, "user", content)
    response = AgentResponse(
        id=hex_id("resp"),
        created_at=now(),
        conversation_id=conversation_id,
        output=[OutputMessage(content=[Part(text=text)])],
    )
    if body.stream:
        return StreamingResponse(events(conversation, response, text), media_type="text/event-stream")
    keep(conversation, "assistant", text)
    return response


def keep(conversation: ConversationDetail, role: Literal["user", "assistant"], text: str) -> None:
    conversation.items.append(Item(id=hex_id("msg"), role=role, created_at=now(), parts=[Part(text=text)]))


async def events(conversation: ConversationDetail, response: AgentResponse, text: str) -> AsyncIterator[str]:
    place = {"output_index": 0, "content_index": 0}
    yield event("response.created", id=response.id, status="in_progress", conversation_id=conversation.id)
    for word in text.split(" "):
        yield event("response.output_text.delta", delta=word + " ", **place)
    yield event("response.output_text.done", text=text, **place)
    yield event("response.output_item.done", item=response.output[0].model_dump(), output_index=0)
    keep(conversation, "assistant", text)
    yield event("response.completed", id=response.id, status="completed")


def event(name: str, **data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"


@app.get("/v1/apps/{app_id}/config", dependencies=[Depends(authorized)])
async def get_config(app_id: str) -> AppConfig:
    return AppConfig(app_id=app_id)
