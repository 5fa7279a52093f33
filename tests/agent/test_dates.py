"""Days and times as people write them, in both languages; what is open; how they are written."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.agent import dates
from sandbox.agent.businesses import NAMES, business
from sandbox.agent.dates import RequestedTime
from sandbox.agent.text import fold

TODAY = date(2026, 3, 2)  # a Monday


def day(number: int, month: int = 3, year: int = 2026) -> date:
    return date(year, month, number)


# What is written, then the days, the time of day and the hours between which it may be.
WISHES: tuple[tuple[str, tuple[date, ...], tuple[int, int] | None, tuple[int, int]], ...] = (
    ("tomorrow", (day(3),), None, (0, 24)),
    ("demain", (day(3),), None, (0, 24)),
    ("today please", (day(2),), None, (0, 24)),
    ("aujourd'hui", (day(2),), None, (0, 24)),
    ("thursday or friday", (day(5), day(6)), None, (0, 24)),
    ("thurs or fri", (day(5), day(6)), None, (0, 24)),
    ("jeudi ou vendredi en avant-midi", (day(5), day(6)), None, (7, 12)),
    ("Monday", (day(9),), None, (0, 24)),  # today is Monday: the next one
    ("lundi prochain", (day(9),), None, (0, 24)),
    ("Thursday next week", (day(12),), None, (0, 24)),
    ("jeudi la semaine prochaine", (day(12),), None, (0, 24)),
    ("the 14th", (day(14),), None, (0, 24)),
    ("le 14 à 15h", (day(14),), (15, 0), (0, 24)),
    ("March 19", (day(19),), None, (0, 24)),
    ("19 mars", (day(19),), None, (0, 24)),
    ("le 1er avril", (day(1, 4),), None, (0, 24)),
    ("February 3", (day(3, 2, 2027),), None, (0, 24)),  # already past this year
    ("2026-04-09", (day(9, 4),), None, (0, 24)),
    ("in 3 days", (day(5),), None, (0, 24)),
    ("dans deux jours", (day(4),), None, (0, 24)),
    ("this weekend", (day(7), day(8)), None, (0, 24)),
    ("en fin de semaine", (day(7), day(8)), None, (0, 24)),
    ("tonight at 8", (day(2),), (20, 0), (0, 24)),
    ("ce soir à 8h", (day(2),), (20, 0), (0, 24)),
    ("friday 7pm", (day(6),), (19, 0), (0, 24)),
    ("vendredi 19 h 30", (day(6),), (19, 30), (0, 24)),
    ("samedi 18h30", (day(7),), (18, 30), (0, 24)),
    ("Tuesday at 9:30 a.m.", (day(3),), (9, 30), (0, 24)),
    ("at 2", (), (14, 0), (0, 24)),
    ("vers 10", (), (10, 0), (0, 24)),
    ("after 6pm", (), None, (18, 24)),
    ("après 18 h", (), None, (18, 24)),
    ("before 11 am", (), None, (0, 11)),
    ("avant 11 h", (), None, (0, 11)),
    ("avant-midi", (), None, (7, 12)),
    ("in the morning", (), None, (7, 12)),
    ("en après-midi", (), None, (12, 17)),
    ("thursday am", (day(5),), None, (7, 12)),
    ("pour jeudi am", (day(5),), None, (7, 12)),
    ("tomorrow evening", (day(3),), None, (16, 22)),
)
NO_WISHES = (
    *("", "hello", "my order", "since yesterday", "depuis hier", "last Tuesday", "mardi dernier", "2 weeks ago"),
    *("il y a deux jours", "250 $", "4 people", "514-555-0123", "h"),
)


def test_days_and_times_are_read(subtests: pytest.Subtests) -> None:
    for text, days, time, (earliest, latest) in WISHES:
        with subtests.test(text):
            found = dates.requested(fold(text), TODAY)
            assert found is not None
            assert (found.days, found.time, found.earliest, found.latest) == (days, time, earliest, latest)


def test_what_names_no_coming_time_names_none() -> None:
    assert [text for text in NO_WISHES if dates.requested(fold(text), TODAY)] == []


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("next week", day(9)),
        ("la semaine prochaine", day(9)),
        ("in 2 weeks", day(16)),
        ("dans trois semaines", day(23)),
    ],
)
def test_a_week_is_a_beginning(text: str, since: date) -> None:
    found = dates.requested(fold(text), TODAY)
    assert found is not None
    assert found.since == since
    offered = dates.openings(business("clinic"), found, TODAY, 7)
    assert min(offered)[0] >= since


@pytest.mark.parametrize(
    ("text", "then"),
    [
        *(("yesterday", day(1)), ("hier soir", day(1)), ("this morning", day(2)), ("ce matin", day(2))),
        *(("last Friday", day(27, 2)), ("vendredi dernier", day(27, 2)), ("February 20", day(20, 2))),
        *(("le 20 février", day(20, 2)), ("March 19", date(2025, 3, 19)), ("my order", None)),
    ],
)
def test_past_days_are_read(text: str, then: date | None) -> None:
    assert dates.past_day(fold(text), TODAY) == then


@given(name=st.sampled_from(NAMES), ahead=st.integers(0, 20), draw=st.integers(0, 4_095), later=st.integers(0, 3))
def test_openings_are_in_order_to_come_and_on_open_days(name: str, ahead: int, draw: int, later: int) -> None:
    known = business(name)
    for wanted in (None, RequestedTime(days=(TODAY + timedelta(days=ahead),)), RequestedTime(earliest=7, latest=12)):
        offered = dates.openings(known, wanted, TODAY, draw, later)
        assert offered == sorted(set(offered))
        assert len(offered) <= 3
        assert all(at[0] >= TODAY and dates.is_possible(known, at) for at in offered)
        if wanted and wanted.days:
            assert all(at[0] == wanted.days[0] for at in offered)


@given(day=st.dates(date(2000, 1, 1), date(2090, 1, 1)), count=st.integers(-20, 20).filter(bool))
def test_working_days_are_no_weekend(day: date, count: int) -> None:
    found = dates.working_day(day, count)
    assert found.weekday() < 5
    assert (found > day) == (count > 0)


@given(
    day=st.dates(TODAY + timedelta(days=1), TODAY + timedelta(days=300)), hour=st.integers(8, 21), half=st.booleans()
)
def test_an_opening_that_is_written_is_read_again(day: date, hour: int, half: bool) -> None:
    opening = (day, (hour, 30 if half else 0))
    assert dates.from_iso(dates.iso(opening)) == opening
    for lang in ("en", "fr"):
        wanted = dates.requested(fold(dates.write_opening(opening, "fr" if lang == "fr" else "en")), TODAY)
        assert wanted is not None
        assert day in wanted.days
        assert wanted.time in (opening[1], None)  # noon is a word


@pytest.mark.parametrize(
    ("time", "english", "french"),
    [
        ((14, 30), "2:30 p.m.", "14 h 30"),
        ((8, 0), "8 a.m.", "8 h"),
        ((12, 0), "noon", "midi"),
        ((0, 5), "12:05 a.m.", "0 h 05"),
    ],
)
def test_times_are_written_as_each_language_does(time: tuple[int, int], english: str, french: str) -> None:
    assert dates.write_time(time, "en").replace("\u00a0", " ") == english
    assert dates.write_time(time, "fr").replace("\u00a0", " ") == french


def test_the_first_of_a_month_is_an_ordinal_in_french() -> None:
    assert dates.write_day(date(2026, 4, 1), "fr") == "mercredi 1er avril"
    assert dates.write_day(date(2026, 4, 1), "en") == "Wednesday, April 1"
