"""What a run found, as it is told: the rule and its clause, expected and got, a script that repeats it.

A law's finding is reduced here: of all that was sent, only the requests that the wrong answer hangs on are kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sandbox.conformance import caller
from sandbox.conformance.caller import Caller
from sandbox.conformance.exchange import Answer
from sandbox.conformance.exercise import Finding as Fuzzed
from sandbox.conformance.law import Broken, Law
from sandbox.conformance.scripts import script
from sandbox.conformance.shown import Masked

# The clause of what an operation answers, and of what it takes.
_ANSWERS = {
    caller.CREATE: "3.2",
    caller.UPDATE: "3.2",
    caller.GET: "3.3",
    caller.LIST: "3.7",
    caller.USER_LIST: "3.7",
    caller.DELETE: "3.6",
    caller.SEND: "3.9",
    caller.COMPLETE: "3.12",
    caller.CONFIG: "3.13",
    caller.METRICS: "3.14",
}
_TAKES = {
    caller.CREATE: "3.1",
    caller.UPDATE: "3.5",
    caller.SEND: "3.8",
    caller.COMPLETE: "3.11",
    caller.LIST: "5.4",
    caller.USER_LIST: "5.4",
}
# Of each check: the clause that it speaks for, empty where that hangs on the operation, and what it expects.
_CHECKS = {
    "not_a_server_error": ("4.11", "no failure of the server"),
    "status_code_conformance": ("4.10", "a status that the contract has"),
    "content_type_conformance": ("1.3", "the media type that the contract has"),
    "response_headers_conformance": ("4.11", "the headers that the contract has"),
    "response_schema_conformance": ("", "a body as its schema says"),
    "negative_data_rejection": ("", "a refusal: the request breaks the schema"),
    "positive_data_acceptance": ("", "success: the request is as the schema says"),
    "ignored_auth": ("1.2", "401 without a good key"),
    "missing_required_header": ("1.2", "401 without a key"),
    "unsupported_method": ("4.6", "405 with Allow: the path has no such method"),
    "allow_header_conformance": ("4.6", "the methods of the path in Allow"),
    "use_after_free": ("5.5", "404: it was deleted"),
    "ensure_resource_availability": ("2.4", "success: it was created"),
}
# Clauses that the sandbox alone decided.
_DECIDED = {"4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    `rule` is the id of a law or the name of a check, `fingerprint` the same from run to run, `script` for a POSIX shell
    with curl and the key in `API_KEY`, `operations` where it was seen, `seen` how often.
    """

    rule: str
    is_law: bool
    sentence: str
    clause: str
    source: str
    operations: tuple[str, ...]
    expected: str
    got: str
    script: str
    seen: int
    fingerprint: str


def of_law(law: Law, broken: Broken, server: Caller, masked: Masked) -> Finding:
    """Return what a broken law is told as."""
    answers = [*_needed(broken.answers, server.client.history), *broken.answers[-1:]]
    wrong = broken.answers[-1].request if broken.answers else None
    return Finding(
        rule=law.id,
        is_law=True,
        sentence=law.sentence,
        clause=law.clause,
        source=law.source,
        operations=tuple(filter(None, [operation_of(server, wrong.method, wrong.target)])) if wrong else (),
        expected=masked(broken.expected),
        got=masked(broken.got),
        script=script(answers, server.client.origin, masked),
        seen=broken.seen,
        fingerprint=_fingerprint(law.id, broken.about),
    )


def of_checks(found: Sequence[Fuzzed], masked: Masked) -> list[Finding]:
    """Return what the checks found, the same thing at several operations told once."""
    groups: dict[tuple[str, ...], Finding] = {}
    for each in found:
        finding = _of_check(each, masked)
        same = groups.get(key := (finding.fingerprint, finding.clause))
        if same is None:
            groups[key] = finding
            continue
        smaller = min(same, finding, key=lambda one: len(one.script))
        operations = tuple(dict.fromkeys((*same.operations, *finding.operations)))
        groups[key] = replace(smaller, operations=operations, seen=same.seen + finding.seen)
    return list(groups.values())


def operation_of(server: Caller, method: str, target: str) -> str | None:
    """Return the operation that a request is for, by its path; None if it is for none of them."""
    path = target.partition("?")[0].removeprefix(server.base)
    segments = path.split("/")[1:]
    for operation in server.operations.values():
        template = operation.path.removeprefix(server.contract.base).split("/")[1:]
        fits = len(template) == len(segments) and all(
            part == segment or (part.startswith("{") and segment)
            for part, segment in zip(template, segments, strict=True)
        )
        if fits and operation.method == method:
            return operation.id
    return None


def _of_check(found: Fuzzed, masked: Masked) -> Finding:
    clause = _clause_of(found)
    return Finding(
        rule=found.check,
        is_law=False,
        sentence=found.title,
        clause=clause,
        source="D" if clause in _DECIDED else "S" if found.operation == caller.CREATE else "V",
        operations=(found.operation,),
        expected=_CHECKS.get(found.check, ("", "what the contract says"))[1],
        got=masked(_came(found)),
        script=masked(found.curl),
        seen=found.seen,
        fingerprint=_fingerprint(*found.identity[1:]),
    )


def _clause_of(found: Fuzzed) -> str:
    if found.check == "response_schema_conformance":
        if found.exchange.status != 200:
            return "3.15"
        streamed = found.exchange.body.startswith(("event:", "data:"))
        return "6.4" if streamed else _ANSWERS.get(found.operation, "3.15")
    if found.check in ("negative_data_rejection", "positive_data_acceptance"):
        return _TAKES.get(found.operation, "4.5")
    return _CHECKS.get(found.check, ("4.10", ""))[0]


def _came(found: Fuzzed) -> str:
    """Return what came, in one paragraph: the status, and what the engine says of it, or else the body."""
    status = "no answer" if found.exchange.status is None else f"status {found.exchange.status}"
    return " ".join(f"{status}: {found.message or found.exchange.body}".split())


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:12]


def _needed(proof: Sequence[Answer], history: Sequence[Answer]) -> list[Answer]:
    """Return what has to be sent before the last answer of a proof: what it is of, and what made those."""
    makers = {one: answer for answer in history if (one := _made(answer))}
    wanted: dict[int, Answer] = {answer.turn: answer for answer in proof[:-1]}
    unseen = list(proof)
    while unseen:
        answer = unseen.pop()
        for one in _named(answer, makers):
            maker = makers[one]
            if maker.turn not in wanted and maker.turn != answer.turn:
                wanted[maker.turn] = maker
                unseen.append(maker)
    last = proof[-1].turn if proof else 0
    return sorted((a for a in wanted.values() if a.turn != last), key=lambda a: a.turn)


def _made(answer: Answer) -> str | None:
    one = answer.object.get("id")
    return one if answer.request.creates and answer.is_good and isinstance(one, str) else None


def _named(answer: Answer, makers: Mapping[str, Answer]) -> Iterable[str]:
    request = answer.request
    text = request.target + (request.body or b"")[:10_000].decode("utf-8", "replace")
    return [one for one in makers if one in text]


def as_json(finding: Finding) -> dict[str, object]:
    """Return a finding as plain values."""
    value: dict[str, object] = json.loads(json.dumps({name: getattr(finding, name) for name in Finding.__slots__}))
    return value
