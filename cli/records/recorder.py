"""Log verdicts as they are made; a log that cannot be written is said once, and stops nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import typer

from cli.records.artifact_1 import PhotographRecord, ReviewRecord, TogetherRecord, WorkRecord, name_of
from cli.records.of_verdict import photograph_record, together_record
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict
from retrieval.judging.together import Part, Together, judge_together
from retrieval.outcome import OF_AN_OBJECT
from retrieval.verdicts.entry import LogEntry, entries_of, entry_together
from retrieval.verdicts.log import VerdictLog, can_record, read_sightings
from retrieval.verdicts.reviews import ReviewedVerdict, decides, review_of


@dataclass(frozen=True, slots=True)
class Recorder:
    """Keeps verdicts in the log, and knows earlier ones; without a log it does neither."""

    edition: Edition
    log: VerdictLog | None
    since: str | None = None  # ISO 8601: an interrupted run may have logged the same verdicts from then on

    def keep(self, verdict: Verdict, *, asked: str | None = None, lot: Mapping[str, str] | None = None) -> list[int]:
        """Log a verdict, with the object that was asked for or the lot; return the number of each work in the log."""
        if self.log is None:
            return []
        entries = entries_of(verdict, self.edition, asked=asked, lot=lot)
        return self.log.add(entries, [work.sighting for work in verdict.works], since=self.since)

    def record(self, verdict: Verdict, *, asked: str | None = None) -> PhotographRecord:
        """Log a verdict, and return its record with what was decided earlier on the same photograph."""
        record = photograph_record(verdict, self.edition, self.keep(verdict, asked=asked))
        self.add_reviews(record)
        return record

    def say_together(self, parts: Sequence[Part], records: Sequence[PhotographRecord]) -> list[TogetherRecord]:
        """Judge photographs together, log what is said of them, put it into their records, and return it."""
        found = []
        for said in judge_together(parts, self.edition.basis):
            joint = together_record(said, self.keep_together(said))
            for record in records:
                record["together"] += [joint] if name_of(record) in joint["photos"] else []
            found.append(joint)
        return found

    def keep_together(self, said: Together, *, lot: Mapping[str, str] | None = None) -> int | None:
        """Log what is said of several photographs together; return its number in the log."""
        if self.log is None or len(said.verdicts) < len(said.photos):
            return None
        (number,) = self.log.add([entry_together(said, self.edition, lot=lot)], since=self.since)
        return number

    def earlier(self, verdict: Verdict, *, before: str) -> list[LogEntry]:
        """Return the entries of before a moment (ISO 8601) on the same photograph, objects or works."""
        if self.log is None:
            return []
        object_ids = [work.matches[0].object_id for work in verdict.works if work.decision.outcome in OF_AN_OBJECT]
        seen = [number for work in verdict.works for number in work.seen]
        return self.log.earlier(verdict.sha256, object_ids=object_ids, seen=seen, before=before)

    def add_reviews(self, record: PhotographRecord) -> None:
        """Put into a record what a person decided earlier on the same photograph and the object of each work."""
        compared = [record["claim"]["work"]] if record["claim"] and record["claim"]["work"] else []
        for work in [*record["works"], *compared]:
            if self.log is None or not work["matches"]:
                continue
            picture = record["picture"] and record["picture"]["number"]
            found = review_of(self.log, record["sha256"], picture, work["matches"][0]["object_id"])
            work["review"] = None if found is None else _review_record(found, work)

    def remembering(self) -> Edition:
        """Return the edition with the unknown works of earlier screenings, which it then recognises."""
        if self.log is None:
            return self.edition
        self.log.forget()
        return replace(self.edition, sightings=read_sightings(self.edition.data, self.edition.encoder.fingerprint))


def _review_record(found: ReviewedVerdict, work: WorkRecord) -> ReviewRecord:
    review = found.review
    return {
        "verdict": review.verdict,
        "date": review.date,
        "name": review.name,
        "outcome": review.outcome,
        "object_id": review.object_id,
        "reason": review.reason,
        "settles": decides(found, work["outcome"], work["alert"]),
    }


@contextmanager
def recording(edition: Edition, *, since: str | None = None) -> Iterator[Recorder]:
    """Give a recorder of verdicts by an edition, which logs no verdict twice that was logged since a moment."""
    if not can_record(edition.data):
        typer.echo(f"not recorded: {edition.data} cannot be written", err=True)
        yield Recorder(edition, None)
        return
    with VerdictLog.opened(edition.data) as log:
        yield Recorder(edition, log, since)
