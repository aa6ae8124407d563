"""The edition that photographs are judged by, kept open and up to date."""

from dataclasses import dataclass

from cli.serve.editions import Editions
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
