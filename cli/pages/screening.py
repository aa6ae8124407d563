"""Write a screening as one self-contained HTML page: a summary, then what needs a person first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import groupby, starmap
from pathlib import Path

from cli.pages.screening_entries import PICTURED, Entries, Entry, FileLine
from cli.pages.templating import page_pieces
from cli.pictures.thumbnails import Reference
from cli.records.artifact_1 import PhotographRecord, WorkRecord, away, name_of
from cli.records.away_words import not_compared
from cli.records.client_words import PROVISIONAL
from cli.records.triage import ALERTS, Priority, priority, triaged

Item = tuple[PhotographRecord, int | None]  # a record, and the index of a work in the record
WithCopies = tuple[Entry, Iterator[FileLine]]
CALIBRATION = "calibration"  # like `PROVISIONAL`, begins a reason that says where the thresholds come from


@dataclass(frozen=True, slots=True)
class ScreeningBasis:
    """What the judgements rest on, as the records say."""

    encoder: str = "none"
    revision: str = "none"
    match: float | None = None
    authenticity: float | None = None
    remarks: tuple[str, ...] = ()  # the sentences that say where the thresholds come from

    def with_record(self, record: PhotographRecord) -> ScreeningBasis:
        """Return what is known after another record."""
        basis = replace(self, encoder=str(record["encoder"]), revision=str(record["revision"]))
        for work in (work for work in record["works"] if work["matches"]):
            best = work["matches"][0]
            match, authenticity = best["match_threshold"], best["authenticity_threshold"]
            new = [reason for reason in work["reasons"] if reason.startswith((PROVISIONAL, CALIBRATION))]
            remarks = tuple(dict.fromkeys([*basis.remarks, *new]))
            basis = replace(basis, match=match, authenticity=authenticity, remarks=remarks)
        return basis


@dataclass
class ScreeningSummary:
    """What the top of the page says of all records."""

    basis: ScreeningBasis = field(default_factory=ScreeningBasis)
    photographs: int = 0
    identical: int = 0
    away: int = 0  # works whose exemplar is away
    counts: Counter[Priority] = field(default_factory=Counter)
    sales: set[str] = field(default_factory=set)
    houses: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, records: Iterator[PhotographRecord]) -> ScreeningSummary:
        """Read the records once."""
        summary = cls()
        for record in records:
            summary.basis = summary.basis.with_record(record)
            summary.photographs += 1
            summary.identical += record["same_as"] is not None
            summary.away += len(away(record))
            works: Sequence[WorkRecord | None] = record["works"] or [None]
            summary.counts.update(priority(record, work) for work in works)
            lot = record["lot"] or {}
            summary.sales |= {lot["sale"]} if lot.get("sale") else set()
            summary.houses |= {lot["house"]} if lot.get("house") else set()
        return summary

    @property
    def alerts(self) -> dict[Priority, int]:
        """How many works have each alert, where any has."""
        return {rank: self.counts[rank] for rank in ALERTS if self.counts[rank]}


def render_screening(
    records: Callable[[], Iterator[PhotographRecord]],
    counts: Mapping[str, int],
    *,
    folder: Path,
    data: Path,
    on_progress: Callable[[int, int], None],
    evidence: Callable[[PhotographRecord, int], str | None] = lambda record, index: None,
    reviews: Sequence[str] = (),
    reload: float | None = None,
) -> Iterator[str]:
    """Yield the page in pieces, reading the records twice; what needs a person comes first.

    `counts` are of the outcomes; `evidence` names the evidence page of a work, as a path from the folder of this page;
    `reviews` are sentences on how earlier verdicts fared; the page reads itself again after `reload` seconds.
    """
    summary, works = ScreeningSummary.of(records()), sum(counts.values())
    with ExitStack() as stack:
        entries = Entries(folder, Reference.opened(data, stack), summary.basis.remarks, evidence)
        yield from page_pieces(
            "screening.html",
            summary=summary,
            away=not_compared(summary.away) if summary.away else "",
            works=works,
            counts=counts,
            folder=folder.resolve(),
            reviews=reviews,
            reload=reload,
            priorities=Priority,
            pictured=PICTURED,
            sections=_sections(entries, _with_progress(triaged(records), on_progress, works)),
        )


def _with_progress(works: Iterator[Item], on_progress: Callable[[int, int], None], total: int) -> Iterator[Item]:
    """Yield the works, and report after each how many works are done."""
    for done, item in enumerate(works, 1):
        yield item
        on_progress(done, total)


def _sections(entries: Entries, works: Iterator[Item]) -> Iterator[tuple[Priority, Iterator[WithCopies]]]:
    """Yield each priority with its entries."""
    for rank, alike in groupby(works, lambda item: _priority(*item)):
        yield rank, _entries(entries, alike, rank)


def _entries(entries: Entries, works: Iterator[Item], rank: Priority) -> Iterator[WithCopies]:
    """Yield the entries of one priority, each with the lines of the files identical to the file of the entry."""
    for _, alike in groupby(works, lambda item: (*_content(item[0]), item[1])):
        yield _with_its_copies(entries, alike, rank)


def _with_its_copies(entries: Entries, alike: Iterator[Item], rank: Priority) -> WithCopies:
    """Return the first of identical files as an entry, and the lines of the others."""
    return entries.entry(*next(alike), rank), starmap(entries.line, alike)


def _priority(record: PhotographRecord, index: int | None) -> Priority:
    return priority(record, None if index is None else record["works"][index])


def _content(record: PhotographRecord) -> tuple[str, str | None]:
    """Return what two files have in common of which the same is said: the file that was judged, and the claim."""
    claim = record["claim"]
    return record["same_as"] or name_of(record), claim["object_id"] if claim else None
