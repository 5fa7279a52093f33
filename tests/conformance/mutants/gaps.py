"""Breaks that the judge doesn't find yet, each with the reason; the run over all mutants shows them too."""

from __future__ import annotations

from tests.conformance.breaks import Answer, Request
from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import Mutant, header, refusal


@seams.answer("list", "get", "config", clauses="10.1")
def reading_is_limited_too(request: Request, answer: Answer) -> Answer:
    limited = header(request, "authorization").endswith("sk_test_limited")
    return refusal(429, "rate_limit_exceeded") if limited else answer


@seams.answer("send", clauses="4.9")
def no_page_may_read_replies(request: Request, answer: Answer) -> Answer:
    return answer.without(b"access-control-allow-origin")


@seams.answer("create", clauses="4.4")
def a_charset_of_a_creation_is_415(request: Request, answer: Answer) -> Answer:
    return refusal(415, "unsupported_media_type") if ";" in header(request, "content-type") else answer


@seams.answer("send", clauses="5.8 4.11")
def a_failed_reply_is_500(request: Request, answer: Answer) -> Answer:
    failed = b'"status":"failed"' in answer.body and answer.body.startswith(b"{")
    return refusal(500, "internal_error") if failed else answer


NOT_YET_CAUGHT: tuple[tuple[Mutant, str], ...] = (
    (reading_is_limited_too, "KEY-12 waits out the 429, as every law does, and the run ends as one not carried out"),
    (no_page_may_read_replies, "CORS-1 and CORS-2 ask no message: of streams, only a completion's is read"),
    (
        a_failed_reply_is_500,
        "MESSAGE-7 could not run: the exit code is 1, and no finding tells of the 500",
    ),
    (a_charset_of_a_creation_is_415, "TYPE-1 asks updates alone"),
)
