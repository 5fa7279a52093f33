"""What an app keeps in Redis, as bytes: numbers are written as they were sent, and no text is empty, as it is JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from orjson import loads

from sandbox.apps.deliveries import Attempt, Delivery
from sandbox.apps.records import Conversation, Item, Position, Role
from sandbox.apps.request_record import RequestRecord
from sandbox.apps.rule_queue import QueuedRule, QueueState
from sandbox.apps.snapshot import AppSnapshot
from sandbox.contract import decode, encode
from sandbox.rng import SeedScope

# The state of an app by the names of its fields; an empty value stands for none.
Fields = Mapping[str, bytes]
# What a script is given.
Part = bytes | str | int
# The fields of a conversation, in the order in which scripts return them.
Row = Sequence[bytes | None]

# As deep as any document is that was let in, and what lies around it here.
_MAX_DEPTH = 200
# Makes the texts of all times sort as the times do, also of those before 1970.
_FIRST_TIME = -(10**12)
_ROLES: Mapping[bytes, Role] = {b"u": "user", b"a": "assistant"}


def pack(value: Any) -> bytes:
    """Return a value as JSON; nothing for None."""
    return b"" if value is None else encode(value)


def unpack(packed: bytes | None) -> Any:
    """Return what `pack` was given."""
    return decode(packed, _MAX_DEPTH).exact if packed else None


def unpack_time(packed: bytes | None) -> float | None:
    """Return a time that `pack` was given, as a plain number: it goes into the journal."""
    return loads(packed) if packed else None


def pack_pair(titles: tuple[str, str] | None) -> bytes:
    """Return a generated title in both languages; nothing for None."""
    return encode(list(titles)) if titles else b""


def pack_queue(queue: QueueState) -> bytes:
    """Return a queue as JSON; nothing where none was ever in it."""
    return encode([queue.queued, *map(list, queue.rules)]) if queue.queued else b""


def unpack_queue(packed: bytes | None) -> QueueState:
    """Return what `pack_queue` was given."""
    queued, *rules = unpack(packed) or [0]
    return QueueState(queued, tuple(QueuedRule(*rule) for rule in rules))


def pack_item(item: Item) -> bytes:
    """Return an item: its role in a letter, and its JSON."""
    return item.role[0].encode() + item.json


def unpack_item(packed: bytes) -> Item:
    """Return what `pack_item` was given."""
    return Item(_ROLES[packed[:1]], packed[1:])


def pack_position(position: Position) -> bytes:
    """Return a text that sorts as the position does."""
    return b"%013d%012d" % (position.created_at - _FIRST_TIME, position.number)


def pack_user(user: str | None) -> bytes:
    """Return how the places of a user's conversations begin: with its length, no user's begin as another's do."""
    if user is None:
        return b""
    encoded = user.encode("utf-8", "surrogatepass")
    return b"%d:%b:" % (len(encoded), encoded)


def pack_row(conversation: Conversation) -> tuple[bytes, ...]:
    """Return the fields of a conversation: base, title, generated title, provisional, metadata, ledger, deleted."""
    return (
        encode([conversation.number, conversation.created_at, conversation.external_user_id]),
        pack(conversation.title),
        pack_pair(conversation.generated_title),
        b"1" if conversation.provisional else b"",
        conversation.metadata or b"",
        conversation.ledger or b"",
        b"1" if conversation.deleted else b"",
    )


def unpack_row(conversation_id: str, row: Row) -> Conversation:
    """Return what `pack_row` was given."""
    base, title, pair, provisional, metadata, ledger, deleted = row
    number, created_at, user = loads(base or b"")
    return Conversation(
        id=conversation_id,
        number=number,
        created_at=created_at,
        external_user_id=user,
        title=loads(title) if title else None,
        generated_title=tuple(loads(pair)) if pair else None,
        metadata=metadata,
        provisional=provisional is not None,
        ledger=ledger,
        deleted=deleted is not None,
    )


def fields_of(flat: Sequence[bytes]) -> dict[str, bytes]:
    """Return the fields of a hash: names and values by turns."""
    return {name.decode("utf-8", "surrogatepass"): value for name, value in zip(flat[::2], flat[1::2], strict=True)}


def pack_snapshot(snapshot: AppSnapshot) -> Sequence[Sequence[Part]]:
    """Return what belongs under each key of an app."""
    rows: list[Part] = []
    items: list[Part] = []
    order: list[Part] = []
    users: list[Part] = []
    seen: dict[Part, None] = {}
    for conversation in snapshot.conversations:
        place, user = pack_position(conversation.position), pack_user(conversation.external_user_id)
        rows += _pack_fields(conversation, place, user)
        items += _pack_items(conversation.id, snapshot.items_of(conversation))
        listed = [] if conversation.deleted else [place + conversation.id.encode()]
        order += listed
        if user:
            seen[user] = None
            users += [user + place for place in listed]
    state = _pack_state(snapshot)
    return (state, rows, items, order, users, list(seen))


def _pack_state(snapshot: AppSnapshot) -> Sequence[Part]:
    counters = dict(snapshot.counters)
    state: dict[str, bytes | int] = {
        "origin": pack(list(snapshot.origin)),
        "overrides": pack(snapshot.overrides or None),
        "scenario": pack(snapshot.scenario),
        "clock": pack(snapshot.clock),
        "faults": pack_queue(snapshot.faults),
        "replies": pack_queue(snapshot.replies),
        "last": counters.pop("conversation", 0),
        "conversations": len(snapshot.records),
        "messages": sum(len(snapshot.items_of(conversation)) for conversation in snapshot.conversations),
        **{f"c:{name}": count for name, count in counters.items()},
    }
    for length, (start, count) in snapshot.rate_windows.items():
        state |= {f"ws:{length}": start, f"wc:{length}": count}
    return [part for name, value in state.items() if value != b"" for part in (name, value)]


def _pack_fields(conversation: Conversation, place: bytes, user: bytes) -> Iterator[Part]:
    for letter, value in zip("btgpmldou", (*pack_row(conversation), place, user), strict=True):
        if value:
            yield from (f"{letter}:{conversation.id}", value)


def _pack_items(conversation_id: str, items: Sequence[Item]) -> Iterator[Part]:
    if items:
        yield from (f"n:{conversation_id}", len(items))
    for position, item in enumerate(items):
        yield from (f"{position}:{conversation_id}", pack_item(item))


def unpack_snapshot(dumped: Sequence[Sequence[bytes]], fresh: AppSnapshot) -> AppSnapshot:
    """Return the snapshot of an app from all that is kept of it; `fresh` is what an app has that keeps nothing."""
    state, rows, items = map(fields_of, dumped)
    origin = unpack(state.get("origin"))
    counters = {name[2:]: int(count) for name, count in state.items() if name.startswith("c:")}
    windows = {
        int(name[3:]): (int(start), int(state[f"wc:{name[3:]}"]))
        for name, start in state.items()
        if name.startswith("ws:")
    }
    ids = [name[2:] for name in rows if name.startswith("b:")]
    records = {
        record.number: record
        for record in (unpack_row(one, [rows.get(f"{letter}:{one}") for letter in "btgpmld"]) for one in ids)
    }
    return AppSnapshot(
        origin=SeedScope(*origin) if origin else fresh.origin,
        overrides=unpack(state.get("overrides")) or {},
        clock=unpack_time(state.get("clock")),
        counters={**counters, "conversation": int(state.get("last", 0))},
        rate_windows=windows,
        records=records,
        items={
            record.number: tuple(_items_of(record.id, items))
            for record in records.values()
            if f"n:{record.id}" in items
        },
        faults=unpack_queue(state.get("faults")),
        replies=unpack_queue(state.get("replies")),
        scenario=unpack(state.get("scenario")),
    )


def _items_of(conversation_id: str, items: Fields) -> Iterator[Item]:
    for position in range(int(items[f"n:{conversation_id}"])):
        yield unpack_item(items[f"{position}:{conversation_id}"])


def pack_record(fields: Sequence[Any]) -> bytes:
    """Return the fields of a request's record as JSON, its seq and its id first."""
    record = RequestRecord._make(fields)
    return encode(
        [
            record.seq,
            record.id,
            *record[1:4],
            *record[5:8],
            *map(_text, record[8:10]),
            _texts(record.headers),
            _text(record.body),
            record.status,
            _texts(record.response_headers),
            _text(record.response_body),
            [[at, _text(piece)] for at, piece in record.response_pieces],
            *record[16:],
        ]
    )


def unpack_record(packed: bytes) -> RequestRecord:
    """Return the record whose fields `pack_record` was given."""
    seq, record_id, *first = loads(packed)
    fields = [record_id, *first[:3], seq, *first[3:]]
    for place in (8, 9, 11, 14):
        fields[place] = fields[place].encode("latin-1")
    for place in (10, 13):
        fields[place] = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields[place]]
    fields[15] = [(at, piece.encode("latin-1")) for at, piece in fields[15]]
    return RequestRecord._make(fields)


def record_key(packed: bytes) -> tuple[int, str]:
    """Return the seq and the id of a packed record: what records are sorted by."""
    seq, record_id, _ = packed.split(b",", 2)
    return int(seq[1:]), record_id[1:-1].decode()


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _texts(pairs: Sequence[tuple[bytes, bytes]]) -> list[list[str]]:
    return [[_text(name), _text(value)] for name, value in pairs]


def pack_delivery(delivery: Delivery) -> bytes:
    """Return a delivery as JSON."""
    return encode({**asdict(delivery), "body": delivery.body.decode()})


def unpack_delivery(packed: bytes | str) -> Delivery:
    """Return what `pack_delivery` was given."""
    fields = loads(packed)
    attempts = tuple(Attempt(**attempt) for attempt in fields["attempts"])
    return Delivery(**{**fields, "body": fields["body"].encode(), "attempts": attempts})
