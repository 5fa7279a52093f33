"""However a server repeats the key, and wherever what it says is cut: nothing of the key is in any report."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha256
from io import StringIO
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.cli import main
from sandbox.conformance.output import KeyRedactor
from tests.conformance.conform_runs import Foreign, ours
from tests.conformance.wire import Answer, Ask, Request
from tests.support.requirements import examples
from tests.support.running import running

pytestmark = pytest.mark.fuzz

FORMS: list[Callable[[str], str]] = [
    lambda key: key,
    str.upper,
    lambda key: f"x{key}_{key}",
    quote,
    lambda key: "".join(f"%{ord(c):02X}" for c in key),
    lambda key: "".join(f"%25{ord(c):02x}" for c in key),
    lambda key: "".join(f"\\u{ord(c):04x}" for c in key),
    lambda key: json.dumps(json.dumps(f'"{key}"')),
    lambda key: b64encode(f"user:{key}".encode()).decode(),
    lambda key: b64encode(f"{key}:".encode()).decode(),
    lambda key: urlsafe_b64encode(f"a:{key}:b".encode()).decode().rstrip("="),
    lambda key: "".join(f"&#{ord(c)};" for c in key),
]
# As random as a key is: a run of eight of its characters stands nowhere else.
randoms = st.builds(
    lambda number, length: urlsafe_b64encode(sha256(b"%d" % number).digest()).decode()[:length],
    st.integers(0, 2**32),
    st.integers(12, 43),
)


def leaks(random: str, text: str) -> list[str]:
    """Return the runs of eight characters of a key's random part that stand in a text."""
    folded = text.lower()
    return [random[n : n + 8] for n in range(len(random) - 7) if random[n : n + 8].lower() in folded]


@settings(max_examples=300)
@given(random=randoms, form=st.sampled_from(FORMS), start=st.integers(0, 900), length=st.integers(0, 700))
def test_no_piece_of_a_text_has_a_piece_of_the_key(
    random: str, form: Callable[[str], str], start: int, length: int
) -> None:
    key = f"sk_live_{random}"
    text = "~" * 400 + form(key) + "~" * 400
    encoded = [form(key)[n : n + 12] for n in range(len(form(key)) - 11)]
    shown = KeyRedactor({"API_KEY": key}).redacted_slice(text, start, start + length)
    assert leaks(random, shown) == []
    assert [piece for piece in encoded if piece in shown and "~" not in piece] == []


@settings(max_examples=examples(30, quick=6), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=randoms, form=st.sampled_from(FORMS), ahead=st.integers(0, 330))
def test_no_report_has_a_piece_of_the_key(tmp_path: Path, random: str, form: Callable[[str], str], ahead: int) -> None:
    key = f"sk_live_{random}"
    files = [tmp_path / name for name in ("junit.xml", "report.json", "summary.md")]
    said = " " * (ahead % 7) + "~" * ahead + form(key)

    async def repeat(request: Request, ask: Ask) -> Answer:
        answer = await ask(request)
        header = (b"x-said", said.encode())
        body = json.dumps({"error": {"message": said}, "title": said, "id": said, "data": [{"id": said}]})
        told = answer.saying((body if len(request.path) % 2 else said).encode())
        return Answer(answer.status if ahead % 3 else 418, (*told.headers, header), told.body)

    words = ["--app", "app_x", "--key", key, "--allow-writes", "--junit", str(files[0]), "--json", str(files[1])]
    checks = [word for check in ("APP", "CREATE", "PAGE", "STREAM", "ERROR", "MESSAGE") for word in ("--check", check)]
    out, err = StringIO(), StringIO()
    with running(ours(Foreign(repeat))) as origin, redirect_stdout(out), redirect_stderr(err):
        code = main(["conform", origin, *words, *checks], {"GITHUB_STEP_SUMMARY": str(files[2])})
    assert code == 1
    told = (
        "".join(file.read_text(encoding="utf-8") for file in files) + "".join(out.getvalue().split()) + err.getvalue()
    )
    assert leaks(random, told) == []


@pytest.mark.parametrize("form", [FORMS[0], FORMS[6], FORMS[8]], ids=["raw", "escaped", "base64"])
def test_the_fuzzer_s_findings_have_none_of_it_either(tmp_path: Path, form: Callable[[str], str]) -> None:
    random = "4f9Zk2mQ8xW1pL7tB3vN6yR5"
    report = tmp_path / "report.json"

    async def repeat(request: Request, ask: Ask) -> Answer:
        answer = await ask(request)
        return answer.saying(('{"app_id": "%s"}' % ("~" * 55 + form(f"sk_live_{random}"))).encode())

    words = ("--app", "app_x", "--key", f"sk_live_{random}", "--quick", "--read-only", "--json", str(report))
    out, err = StringIO(), StringIO()
    with running(ours(Foreign(repeat))) as origin, redirect_stdout(out), redirect_stderr(err):
        assert main(["conform", origin, *words], {}) == 1
    findings = json.loads(report.read_text())["findings"]
    assert [finding["rule"] for finding in findings if finding["rule"] == "response_schema_conformance"]
    assert leaks(random, report.read_text() + "".join(out.getvalue().split()) + err.getvalue()) == []
