"""Every rule, in the order in which a verdict names them."""

from __future__ import annotations

from sandbox.control.verdict.failures import unnoticed_failures
from sandbox.control.verdict.findings import Rule
from sandbox.control.verdict.requests import browser_keys, outside_contract, unknown_fields
from sandbox.control.verdict.retries import repeated_post, too_soon
from sandbox.control.verdict.streams import unread_streams

RULES = (
    Rule(
        name="outside_contract",
        sentence="Calls go to paths and methods of the contract.",
        advice="Compare the path and the method with /openapi.json.",
        check=outside_contract,
    ),
    Rule(
        name="unknown_field",
        sentence="Fields and query parameters are ones that the operation knows.",
        advice="Correct the name, or leave it out: the API ignores what it doesn't know, and says nothing.",
        check=unknown_fields,
    ),
    Rule(
        name="browser_key",
        sentence="Secret keys stay on servers.",
        advice="Let a server of your own make the call: whoever opens the page can read the key.",
        check=browser_keys,
    ),
    Rule(
        name="too_soon",
        sentence="A request is sent again when Retry-After has passed.",
        advice="Wait as many seconds as Retry-After says, counted from the answer; if it is a date, until then.",
        check=too_soon,
    ),
    Rule(
        name="repeated_post",
        sentence="A create or a message whose answer was lost is not repeated blindly.",
        advice="Read the list or the conversation first: the work may be done, and again makes a double.",
        check=repeated_post,
    ),
    Rule(
        name="unread_stream",
        sentence="Streams are read to their end, or aborted on purpose.",
        advice="Read until response.completed or response.failed: tool calls and forms may follow a text.",
        check=unread_streams,
    ),
    Rule(
        name="unnoticed_failure",
        sentence="Broken answers are not taken for good ones.",
        advice="Check the status, that the body is whole JSON, and that a stream ends with its last event.",
        check=unnoticed_failures,
    ),
)
