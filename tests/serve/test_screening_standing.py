"""Reading the journal of a screening while somebody keeps it, as the desk does."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cli.screening.journal import Journal
from cli.screening.journal_reading import JournalReading
from cli.serve.screenings.standing import LiveStanding, final_standing, records_of
from tests.records import photograph_record, work_record

HEADING = {"revision": 1}


def add(journal: Journal, folder: Path, number: int, outcome: str = "consistent", error: str | None = None) -> None:
    works = [] if error else [work_record(outcome)]
    journal.add(f"{number}", f"sha {number}", photograph_record(folder / f"{number}.jpg", *works, error=error))


def test_what_is_kept_is_read_while_more_comes_and_nothing_is_changed(tmp_path):
    out = tmp_path / "report.html"
    with JournalReading.of(out) as reading:
        assert reading is None or (reading.count(), reading.begun(), list(reading.after(0))) == (0, "", [])
    assert list(tmp_path.iterdir()) == [], "reading made a journal"
    with Journal.beside(out, HEADING) as journal:
        add(journal, tmp_path, 1)
        with JournalReading.of(out) as reading:
            assert reading.count() == 1 and reading.begun()
            add(journal, tmp_path, 2, "divergent")
            kept = list(reading.after(0))
            assert [one.record for one in kept] == list(journal.records()) and reading.count() == 2
            assert list(reading.after(kept[-1].number)) == []
        journal.discard()
    with JournalReading.of(out) as reading:
        assert reading is None or reading.count() == 0
    assert [item.name for item in tmp_path.iterdir() if item.name.endswith(".part")] == []


def test_a_standing_follows_a_journal_that_is_taken_up_or_begun_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("cli.serve.screenings.standing.OFTENEST", -1.0)
    live = LiveStanding(tmp_path)
    assert live.now().count == 0
    with Journal.beside(tmp_path / "report.html", HEADING) as journal:
        add(journal, tmp_path, 1, "divergent")
        add(journal, tmp_path, 2, error="damaged")
        assert dict(live.now().outcomes) == {"divergent": 1, "unreadable": 1}
    with Journal.beside(tmp_path / "report.html", HEADING) as journal:  # what could not be read is judged again
        assert dict(live.now().outcomes) == {"divergent": 1}
        for number in (2, 3):
            add(journal, tmp_path, number)
        assert dict(live.now().outcomes) == {"divergent": 1, "consistent": 2}
    assert live.now().outcomes == final_standing(tmp_path).outcomes and len(list(records_of(tmp_path))) == 3
    with Journal.beside(tmp_path / "report.html", {"revision": 2}) as journal:
        add(journal, tmp_path, 1, "no-match")
        assert dict(live.now().outcomes) == {"no-match": 1}


def test_records_are_read_to_the_end_whatever_threads_draw_them(tmp_path):
    with Journal.beside(tmp_path / "report.html", HEADING) as journal:
        for number in range(250):
            add(journal, tmp_path, number)
    records = records_of(tmp_path)
    drawn = 0
    while True:  # as an answer that is streamed does, which takes whatever thread is free
        with ThreadPoolExecutor(1) as pool:
            if pool.submit(next, records, None).result() is None:
                break
        drawn += 1
    assert drawn == 250


def test_the_pace_is_of_what_came_in_this_run(tmp_path, monkeypatch):
    monkeypatch.setattr("cli.serve.screenings.standing.OFTENEST", -1.0)
    live = LiveStanding(tmp_path)
    with Journal.beside(tmp_path / "report.html", HEADING) as journal:
        for number in range(6):
            add(journal, tmp_path, number)
        assert live.now(since_ns=0).rate > 0
        assert live.now(since_ns=1 << 62).rate is None
