"""Take photographs in, have each judged once, and keep its record."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Literal

import typer

from cli.output.progress import progress
from cli.records.artifact_1 import ClaimRecord, PhotographRecord, SeenRecord, name_of
from cli.records.away_words import first_away
from cli.records.of_verdict import parts_of, photograph_record, together_record, work_record
from cli.records.recorder import Recorder
from cli.screening.journal import Journal
from cli.screening.screening_options import ScreeningOptions
from indexer.inputs.lots import SALE, BadLots, Claims, Lot
from retrieval.encoder.stream import Reading
from retrieval.errors import UnreadableImage
from retrieval.judging.decision import Decision
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Probe, Verdict, judge_all
from retrieval.judging.together import FEWEST, MOST, judge_together
from retrieval.judging.work import Work
from retrieval.outcome import Outcome
from retrieval.photographs.files import sha256_of
from retrieval.photographs.numbered import NumberedPicture, named
from retrieval.photographs.pages import may_have_pages, pictures_in
from retrieval.photographs.pictures import Pictures
from retrieval.verdicts.entry import LogEntry

SEEN = 3  # sightings that a record names, at most


@dataclass(slots=True)
class Desk:
    """Takes photographs in, has them judged, each content once, and keeps the records."""

    edition: Edition
    journal: Journal
    recorder: Recorder
    read: Reading
    options: ScreeningOptions
    max_megapixels: float
    claims: Claims
    count: Callable[[Path], Pictures] = pictures_in
    _pages: dict[Path, int] = field(default_factory=dict)  # of files of several
    _more_pages: int = 0  # more than there are files
    _twins: dict[str, list[Lot]] = field(default_factory=dict)  # of contents that are being judged
    _warned: bool = False
    _going: deque[tuple[Lot, str]] = field(default_factory=deque)  # what is being judged, in order
    _left: Counter[str] = field(default_factory=Counter)  # photographs of each thing that have no record yet

    def screen(self, lots: Collection[Lot], total: int) -> Iterator[PhotographRecord]:
        """Yield the records of photographs as they are made, in bounded memory.

        Photographs of one thing are judged together once the last of them has its record, which then says so.
        """
        shown = Counter(lot.thing for lot in lots if lot.thing is not None)
        self._left = Counter({thing: count for thing, count in shown.items() if count <= MOST})
        with progress("Screening", drawn=not self.options.watching) as show:
            verdicts = judge_all(
                self.edition,
                self._to_judge(lots),
                k=self.options.k,
                several=self.options.several,
                read=self.read,
                max_megapixels=self.max_megapixels,
            )
            for verdict in verdicts:
                lot, identity = self._going.popleft()
                record = self._put(lot, identity, verdict)
                for twin in self._twins.pop(identity):
                    self._put_twin(twin, identity, record)
                yield from self.journal.fresh()  # also the records of photographs that needed no judging
                show(len(self.journal), total + self._more_pages)
            yield from self.journal.fresh()

    def go_by(self, edition: Edition, claims: Claims) -> None:
        """Have what comes from here on judged by another edition."""
        self.recorder, self.claims = replace(self.recorder, edition=edition), claims
        self.edition = self.recorder.remembering()

    def is_done(self, lot: Lot) -> bool:
        """Say whether a photograph, or every page of a file of several, has its record."""
        first = replace(lot, picture=1)
        if self.journal.holds(lot.key, lot.path):
            return True
        if not self.journal.holds(first.key, first.path):
            return False
        if lot.path not in self._pages:  # an earlier run counted them, and may have been ended between two
            try:
                self._pages[lot.path] = self.count(lot.path).count
            except UnreadableImage:  # judging the photograph will say why
                return False
        pages = (replace(lot, picture=number) for number in range(2, self._pages[lot.path] + 1))
        return all(self.journal.holds(page.key, page.path) for page in pages)

    def _to_judge(self, lots: Iterable[Lot]) -> Iterator[Probe]:
        """Yield what has to be judged; what was, or cannot be opened, gets its record at once."""
        for lot in chain.from_iterable(map(self._each_page, lots)):
            if self.journal.holds(lot.key, lot.path):
                self._settle(lot)
                continue
            if lot.problem is not None:
                self._put(lot, None, Verdict(lot.path, None, (), lot.problem))
                continue
            object_id, _ = self._claimed(lot)
            identity = _identity(lot, object_id, self.edition)
            if identity in self._twins:
                self._twins[identity].append(lot)
            elif (known := self.journal.of_identity(identity)) is not None:
                self._put_twin(lot, identity, known)
            else:
                self._twins[identity] = []
                self._going.append((lot, identity))
                yield Probe(lot.path, object_id, lot.picture)

    def _each_page(self, lot: Lot) -> Iterator[Lot]:
        """Yield each page of a file of several, or the one that a list names; else the photograph itself."""
        asked = named(lot.path)
        if isinstance(asked, NumberedPicture):
            lot = replace(lot, path=asked.path, picture=asked.number)
        if lot.problem is not None or not may_have_pages(lot.path):
            yield lot
            return
        with suppress(UnreadableImage):  # judging the photograph will say why
            found = self.count(lot.path)
            if lot.picture is None and found.count > 1 and not found.animated:
                self._pages[lot.path] = found.count
                self._more_pages += found.count - 1
                self._left.update({thing: found.count - 1} if (thing := self._thing(lot)) else {})
                yield from (replace(lot, picture=n, pictures=found.count) for n in range(1, found.count + 1))
                return
            lot = replace(lot, pictures=found.count)
        yield lot

    def _claimed(self, lot: Lot) -> tuple[str | None, str | None]:
        """Return the object that a lot is said to be, or why the claim names no object."""
        try:
            return (self.claims.object_id(lot.claim) if lot.claim else None), None
        except BadLots as reason:
            return None, str(reason)

    def _put(self, lot: Lot, identity: str | None, verdict: Verdict) -> PhotographRecord:
        """Keep the record of a photograph."""
        verdict = replace(verdict, pictures=max(verdict.pictures, lot.pictures))  # one unreadable does not know
        record = photograph_record(
            verdict,
            self.edition,
            self.recorder.keep(verdict, lot=lot.columns),
            lot=lot.columns,
            seen_before=self._seen_before(lot, verdict),
            claim=self._claim(lot, verdict),
        )
        self.recorder.add_reviews(record)
        thing, identity = self._thing(lot), identity if verdict.error is None else None
        self.journal.add(lot.key, identity, record, thing=thing, parts=parts_of(verdict, record) if thing else ())
        self._settle(lot)
        if not self._warned and (line := first_away(record)) is not None:
            typer.echo(line, err=True)
            self._warned = True
        return record

    def _put_twin(self, lot: Lot, identity: str, judged: PhotographRecord) -> None:
        """Keep the record of a photograph that is the same file as one already judged."""
        claim = self._asserted(lot)
        if claim and claim["object_id"] is not None and judged["claim"]:  # the same object: an identity has one claim
            claim = {**judged["claim"], "claimed": claim["claimed"]}
        record: PhotographRecord = {
            **judged,
            "photo": str(lot.path),
            "lot": None if lot.columns is None else dict(lot.columns),
            "claim": claim,
            "same_as": judged["same_as"] or name_of(judged),
        }
        self.journal.add(lot.key, identity, record, thing=self._thing(lot))
        self._settle(lot)

    def _thing(self, lot: Lot) -> str | None:
        """Return what a photograph is one of several photographs of, if it is."""
        return lot.thing if lot.thing in self._left else None

    def _settle(self, lot: Lot) -> None:
        """Judge the photographs of a thing together where this was the last one."""
        if (thing := self._thing(lot)) is None:
            return
        self._left[thing] -= 1
        if self._left[thing] == 0 and len(parts := self.journal.parts(thing)) >= FEWEST:
            found = judge_together(parts, self.edition.basis)
            kept = [together_record(said, self.recorder.keep_together(said, lot=lot.columns)) for said in found]
            self.journal.put_together(thing, kept)

    def _asserted(self, lot: Lot) -> ClaimRecord | None:
        """Return what a lot is said to be, if anything, not yet compared with the claimed object."""
        if not lot.claim:
            return None
        object_id, reason = self._claimed(lot)
        return {"claimed": lot.claim, "object_id": object_id, "work": None, "reason": reason}

    def _claim(self, lot: Lot, verdict: Verdict) -> ClaimRecord | None:
        """Return what is said of a photograph against the object that it is said to show."""
        claim = self._asserted(lot)
        if claim is None:
            return None
        if claim["object_id"] is None and verdict.works:  # waits for a person too
            nothing = Work(verdict.works[0].region, Decision(Outcome.INCONCLUSIVE, (str(claim["reason"]),)), ())
            self.recorder.keep(replace(verdict, works=(nothing,)), asked=claim["claimed"], lot=lot.columns)
        claim["reason"] = claim["reason"] or verdict.error
        if verdict.claim is not None:
            is_new = all(_said(work) != _said(verdict.claim) for work in verdict.works)
            if is_new or verdict.claim.decision.outcome is Outcome.NO_MATCH:  # else a work's verdict says the same
                self.recorder.keep(replace(verdict, works=(verdict.claim,)), asked=claim["object_id"], lot=lot.columns)
            claim["work"] = work_record(verdict.claim, self.edition.basis.thresholds)
        return claim

    def _seen_before(self, lot: Lot, verdict: Verdict) -> list[SeenRecord]:
        """Return where the photograph, or a work on it, was seen in earlier screenings, as other lots or files."""
        photo = os.path.realpath(lot.path)
        entries = self.recorder.earlier(verdict, before=self.journal.started) if verdict.works else []
        others = [entry for entry in entries if _is_elsewhere(entry, photo, lot.columns)]
        seen = [_seen(entry, verdict) for entry in others]
        return sorted(seen, key=lambda earlier: earlier["by"] != "photo")[:SEEN]


def _said(work: Work) -> tuple[object, ...]:
    """Return what two works have in common of which the same is said."""
    return work.decision.outcome, work.alert, *((match.object_id, match.distance) for match in work.matches[:1])


def _seen(entry: LogEntry, verdict: Verdict) -> SeenRecord:
    """Return an earlier sighting, with what it has in common with a photograph."""
    by: Literal["photo", "work", "object"] = "object"
    if entry.sha256 == verdict.sha256:
        by = "photo"
    elif any(entry.number in work.seen for work in verdict.works):
        by = "work"
    lot = None if entry.lot is None else dict(entry.lot)
    return {"date": entry.date, "photo": entry.photo, "lot": lot, "verdict": entry.number, "by": by}


def _is_elsewhere(entry: LogEntry, photo: str, columns: Mapping[str, str] | None) -> bool:
    """Say whether an entry is of another sale; where one of the two names no sale, of another folder."""
    earlier, sale = _sale(entry.lot), _sale(columns)
    if any(earlier) and any(sale):
        return earlier != sale
    return Path(entry.photo).parent != Path(photo).parent


def _sale(columns: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return what tells one sale from another."""
    return tuple((columns or {}).get(name, "") for name in SALE)


@lru_cache(maxsize=1)
def _content(path: Path, size: int, modified_ns: int) -> str:
    """Return the hash of a file, which is read once for all of its pages while it stays as it is."""
    return sha256_of(path)


def _identity(lot: Lot, claim: str | None, edition: Edition) -> str:
    """Return what two photographs have in common of which the same is said: content, claim, revision, calibration."""
    try:
        status = lot.path.stat()
        content = _content(lot.path, status.st_size, status.st_mtime_ns)
    except (OSError, ValueError, UnreadableImage):  # judging the photograph will say why
        content = lot.key
    page = "" if lot.picture is None else f"#{lot.picture}"
    return f"{content}{page} {claim or ''} {edition.revision} {edition.calibration and edition.calibration.number}"
