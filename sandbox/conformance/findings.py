"""What a run found, as it is reported: the rule and its clause, expected and got, a script that repeats it.

A check's finding is reduced here: of all that was sent, only the requests that the wrong response depends on are kept.
The script is for any POSIX shell: curl, the key in a variable, long bodies made by commands."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from sandbox.conformance.check import Check
from sandbox.conformance.expect import CheckViolation
from sandbox.conformance.fuzz import FuzzFinding
from sandbox.conformance.http_messages import ApiRequest, ApiResponse, ServerOrigin
from sandbox.conformance.output import KeyRedactor
from sandbox.conformance.target import Op, Target

# The clause of what an operation answers, and of what it takes.
_ANSWERS: Mapping[str, str] = {
    Op.CREATE: "3.2",
    Op.UPDATE: "3.2",
    Op.GET: "3.3",
    Op.LIST: "3.7",
    Op.USER_LIST: "3.7",
    Op.DELETE: "3.6",
    Op.SEND: "3.9",
    Op.COMPLETE: "3.12",
    Op.CONFIG: "3.13",
    Op.METRICS: "3.14",
}
_TAKES: Mapping[str, str] = {
    Op.CREATE: "3.1",
    Op.UPDATE: "3.5",
    Op.SEND: "3.8",
    Op.COMPLETE: "3.11",
    Op.LIST: "5.4",
    Op.USER_LIST: "5.4",
}
# Of each check: the clause that it speaks for, empty where that hangs on the operation, and what it expects.
_FUZZ_CHECKS = {
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
class ConformanceFinding:
    """One thing that is wrong.

    `rule` is the id of a check or the name of one of the fuzzer's, `fingerprint` the same from run to run, `script` for
    a POSIX shell with curl and the key in `API_KEY`, `operations` where it was seen, `seen` how often.
    """

    rule: str
    is_check: bool
    sentence: str
    clause: str
    source: str
    operations: tuple[str, ...]
    expected: str
    got: str
    script: str
    seen: int
    fingerprint: str


def finding_of_check(
    check: Check, violation: CheckViolation, target: Target, redact: KeyRedactor
) -> ConformanceFinding:
    """Return the finding of a violation."""
    wrong = violation.answers[-1]
    answers = [*_preparing(violation.answers, target.session.answers), wrong]
    operation_id = target.operation_id(wrong.request)
    return ConformanceFinding(
        rule=check.id,
        is_check=True,
        sentence=check.sentence,
        clause=check.clause,
        source=check.source,
        operations=(operation_id,) if operation_id else (),
        expected=redact(violation.expected),
        got=redact(violation.got),
        script=curl_script(answers, target.session.origin, redact),
        seen=violation.seen,
        fingerprint=_fingerprint(check.id, violation.about),
    )


def findings_of_fuzzing(fuzz_findings: Sequence[FuzzFinding], redact: KeyRedactor) -> list[ConformanceFinding]:
    """Return the findings of the fuzz phase, the same thing at several operations once."""
    groups: dict[tuple[str, ...], ConformanceFinding] = {}
    for fuzz_finding in fuzz_findings:
        finding = _finding_of_fuzzing(fuzz_finding, redact)
        same = groups.get(key := (finding.fingerprint, finding.clause))
        if same is None:
            groups[key] = finding
            continue
        smaller = min(same, finding, key=lambda each: len(each.script))
        operations = tuple(dict.fromkeys((*same.operations, *finding.operations)))
        groups[key] = replace(smaller, operations=operations, seen=same.seen + finding.seen)
    return list(groups.values())


def _finding_of_fuzzing(finding: FuzzFinding, redact: KeyRedactor) -> ConformanceFinding:
    clause = _clause_of(finding)
    return ConformanceFinding(
        rule=finding.check,
        is_check=False,
        sentence=finding.title,
        clause=clause,
        source="D" if clause in _DECIDED else "S" if finding.operation_id == Op.CREATE else "V",
        operations=(finding.operation_id,),
        expected=_FUZZ_CHECKS.get(finding.check, ("", "what the contract says"))[1],
        got=redact(_describe_answer(finding)),
        script=redact(finding.curl),
        seen=finding.seen,
        fingerprint=_fingerprint(*finding.identity[1:]),
    )


def _clause_of(finding: FuzzFinding) -> str:
    if finding.check == "response_schema_conformance":
        if finding.status != 200:
            return "3.15"
        streamed = finding.body.startswith(("event:", "data:"))
        return "6.4" if streamed else _ANSWERS.get(finding.operation_id, "3.15")
    if finding.check in ("negative_data_rejection", "positive_data_acceptance"):
        return _TAKES.get(finding.operation_id, "4.5")
    return _FUZZ_CHECKS.get(finding.check, ("4.10", ""))[0]


def _describe_answer(finding: FuzzFinding) -> str:
    """Return what came, in one paragraph: the status, and what the engine says of it, or else the body."""
    status = "no answer" if finding.status is None else f"status {finding.status}"
    return " ".join(f"{status}: {finding.message or finding.body}".split())


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:12]


def _preparing(proof: Sequence[ApiResponse], earlier: Sequence[ApiResponse]) -> list[ApiResponse]:
    """Return what has to be sent before the last answer of a proof: what it is of, and what created the ids in it."""
    creators = {answer.created_id: answer for answer in earlier if answer.created_id}
    wanted = {answer.turn: answer for answer in proof[:-1]}
    unseen = list(proof)
    while unseen:
        answer = unseen.pop()
        request = answer.request
        text = request.target + (request.body or b"")[:10_000].decode("utf-8", "replace")
        for creator in (creator for created_id, creator in creators.items() if created_id in text):
            if creator.turn not in wanted and creator.turn != answer.turn:
                wanted[creator.turn] = creator
                unseen.append(creator)
    wanted.pop(proof[-1].turn, None)
    return [wanted[turn] for turn in sorted(wanted)]


def as_json(finding: ConformanceFinding) -> dict[str, object]:
    """Return a finding as plain values, under the names of version 1 of the report."""
    names = {"is_check": "is_law"}
    return {names.get(name, name): getattr(finding, name) for name in ConformanceFinding.__slots__}


_REPEATED = re.compile(rb"(.{1,8}?)\1{99,}", re.DOTALL)
_PLAIN = re.compile(rb"[\x20-\x7e]*")
_MAX_ARGUMENT = 4_000

# Shows an answer, and keeps the id in it.
_ID = """id() {
  tee /dev/stderr | grep -o '"id": *"[^"]*"' | head -n 1 | cut -d '"' -f 4
}"""
_MAX_COLUMNS = 76


def curl_script(answers: Sequence[ApiResponse], origin: ServerOrigin, redact: KeyRedactor) -> str:
    """Return the shell script that sends the same requests again; what one creates is known to those after it."""
    names: dict[str, str] = {}
    lines: list[str] = []
    numbers = count(1)
    for place, answer in enumerate(answers):
        command = _command(answer.request, origin, redact, names)
        created_id = answer.created_id
        if created_id and any(_has_id(later.request, created_id) for later in answers[place + 1 :]):
            names[created_id] = f"ID{next(numbers)}"
            lines.append(f"{names[created_id]}=$({command} | id)")
        else:
            lines.append(command)
    return "\n".join([*([_ID] if names else []), *lines])


def _command(request: ApiRequest, origin: ServerOrigin, redact: KeyRedactor, names: Mapping[str, str]) -> str:
    method = "--head" if request.method == "HEAD" else f"-X {request.method}" if request.method != "GET" else ""
    words = [f"curl -sS --globoff --path-as-is {method}".rstrip(), _word(f"{origin}{request.target}", redact, names)]
    words += ["-H " + _word(f"{name}: {value}", redact, names) for name, value in request.headers]
    if request.body is None:
        return _joined(words)
    if not any(name.lower() == "content-type" for name, _ in request.headers):
        words.append("-H 'Content-Type:'")
    if len(request.body) <= _MAX_ARGUMENT and _is_text(request.body):
        return _joined([*words, "--data-binary " + _word(request.body.decode(), redact, names)])
    return _joined([_printed(redact.body(request.body)) + " |", *words, "--data-binary @-"])


def _joined(words: Sequence[str]) -> str:
    """Write a command in one line, or in several that a shell reads as one."""
    line = " ".join(words)
    return line if len(line) <= _MAX_COLUMNS else " \\\n  ".join(words)


def _word(text: str, redact: KeyRedactor, names: Mapping[str, str]) -> str:
    """Quote a text for a shell; ids and keys in it become variables."""
    pieces: list[str] = []
    for literal, key in redact.split(text):
        pieces += _with_ids(literal, names)
        if key:
            pieces.append(f'"${key}"')
    return "".join(pieces) or "''"


def _with_ids(text: str, names: Mapping[str, str]) -> list[str]:
    pieces: list[str] = []
    while text:
        place, found_id = min(((text.find(each), each) for each in names if each in text), default=(len(text), ""))
        if text[:place]:
            pieces.append(shlex.quote(text[:place]))
        if found_id:
            pieces.append(f'"${names[found_id]}"')
        text = text[place + len(found_id) :]
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
    for match in _REPEATED.finditer(raw):
        if match.start() > place:
            commands.append(_printf(raw[place : match.start()]))
        commands.append(_repeated(match[1], len(match[0]) // len(match[1])))
        place = match.end()
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


def _has_id(request: ApiRequest, created_id: str) -> bool:
    return created_id in request.target or created_id.encode() in (request.body or b"")
