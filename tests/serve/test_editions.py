"""The edition that photographs are judged by, kept open and up to date."""

import time
from dataclasses import dataclass

from cli.serve.editions import Editions
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.exemplars import Held
from retrieval.photographs.reader_process import Reader
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.reviews import accepting, add_review
from retrieval.verdicts.withdrawals import withdraw


@dataclass(frozen=True)
class Opened:
    """Stands for an edition, and for the options that open it."""

    calibration: object = None
    misfit: bool = False

    def open_edition(self, data, *, parallel):
        return self


def test_whether_the_calibration_fits_is_asked_again_only_after_somebody_decided(data, monkeypatch):
    """It reads every verdict of the calibration, while all other photographs wait."""
    asked = []
    monkeypatch.setattr("cli.serve.editions.fits", lambda *of: asked.append(of) or len(asked) != 1)
    editions = Editions(data, Opened())
    assert [editions.current().misfit for _ in range(3)] == [False] * 3 and not asked
    with VerdictLog.opened(data) as log:
        review = add_review(log, accepting(log.entries()[0], name="Anna", reason=""))
    assert [editions.current().misfit for _ in range(3)] == [True] * 3 and len(asked) == 1
    with VerdictLog.opened(data) as log:
        withdraw(log, [review], name="Anna")
        log.add([log.entries()[0]])  # a verdict more, on which nobody has decided
    assert [editions.current().misfit for _ in range(3)] == [False] * 3 and len(asked) == 2


def test_what_gets_ready_keeps_no_edition_that_is_out_of_date(desk, monkeypatch):
    """Jobs are remembered with what they return, and an edition may take gigabytes."""
    monkeypatch.undo()  # of the fixture by which nothing is opened beforehand
    service, opened = desk.app.state.service, []
    monkeypatch.setattr(Reader, "get_ready", lambda self, count: None)
    monkeypatch.setattr(service.editions, "current", lambda: opened.append(1) or Opened())
    service.get_ready()
    jobs = list(service.jobs._jobs.values())
    assert len(jobs) == 2 and all(job.finished.wait(60) and job.result is None for job in jobs) and opened


def test_an_edition_that_nobody_uses_is_let_go_once_somebody_writes_the_catalogue(data):
    """Else the log of the database would grow by all that `artifact index` writes, as long as the desk is open."""
    opened = []

    class Holding(Opened):
        def open_edition(self, data, *, parallel):
            opened.append(Held(data))
            return Opened()

    editions = Editions(data, Holding())
    editions.current()
    editions.let_go(idle=0.0)
    editions.current()
    assert len(opened) == 1, "nobody wrote anything"
    with Catalogue.writing(data) as catalogue:
        catalogue.set_skipped("/photos", [("a.jpg", "empty file")])
        editions.let_go()
        editions.current()
        assert len(opened) == 1, "it was used just now"
        editions.let_go(idle=0.0)
    editions.current()
    assert len(opened) == 2
    editions.close()


def test_what_is_not_used_is_looked_for_again_and_again(data, monkeypatch):
    editions, asked = Editions(data, Opened()), []
    monkeypatch.setattr(editions, "let_go", lambda: asked.append(1))
    editions.tend(every=0.001)
    until = time.monotonic() + 20
    while len(asked) < 3 and time.monotonic() < until:
        time.sleep(0.002)
    editions.close()
    assert len(asked) >= 3
