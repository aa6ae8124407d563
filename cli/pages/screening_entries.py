"""Make the entries of the page of a screening: pictures, alerts, object, distance, reasons, claim, lot of a work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from cli.pages.parts import DistanceBar
from cli.pictures.thumbnails import LARGE, SMALL, Reference, Thumbnail, thumbnail
from cli.records.alert_words import alert_sentence, alert_words
from cli.records.artifact_1 import (
    ClaimRecord,
    ForgeryRecord,
    MatchRecord,
    PhotographRecord,
    PictureRecord,
    TogetherRecord,
    WorkRecord,
    alerted,
    name_of,
)
from cli.records.client_words import ClientWords, client_words, is_provisional
from cli.records.lines import LOT_COLUMNS, lot_words, seen_line
from cli.records.review_words import earlier_review
from cli.records.triage import ALERTS, Priority, claimed, deciding, shows_object, together_with
from retrieval.outcome import OF_AN_OBJECT, Outcome

COMPACT = (Priority.CONSISTENT, Priority.NO_MATCH)
PICTURED = 3000  # entries with pictures; a browser opens no more


@dataclass(frozen=True, slots=True)
class LotColumn:
    """A column of a lot that says something; `linked` where its text is an address that leads to the web."""

    name: str
    text: str
    linked: bool


@dataclass(frozen=True, slots=True)
class FileLine:
    """All that is said of a file identical to the file of an entry: its name, its lot and its verdict."""

    photo: str
    lot: Mapping[str, str]
    columns: Sequence[LotColumn]
    verdict: int | None
    picture: PictureRecord | None


@dataclass(frozen=True, slots=True)
class CaptionedPicture:
    """A picture with its caption."""

    shown: Thumbnail
    caption: str
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The nearest object to a work, and the distance that decides."""

    best: MatchRecord
    title: str
    only_nearest: bool
    named: bool  # it may be shown
    judged_by: str
    bar: DistanceBar
    provisional: bool


@dataclass(frozen=True, slots=True)
class JudgedClaim:
    """A claim, `is_said_below` where its entry says the same; the bar is for one neither upheld nor said below."""

    record: ClaimRecord
    is_said_below: bool
    bar: DistanceBar | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What the page says of a work, or of a photograph that could not be read."""

    file: FileLine
    rank: Priority
    compact: bool
    work: WorkRecord | None
    judgement: Judgement | None
    reasons: Sequence[str | None]
    claim: JudgedClaim | None
    pictures: Sequence[CaptionedPicture]
    alerts: Sequence[tuple[Priority, str]]
    number: int | None  # of the work, where the photograph shows several
    of: int
    original: str | None  # the file that was judged, of which the file of this entry is a copy
    evidence: str | None  # the address of the page of evidence
    seen: str
    review: str
    heading: str  # lot and title; empty where neither is known
    said: ClientWords
    together: TogetherRecord | None  # with other photographs of it


@dataclass
class Entries:
    """Makes the entries of one page; `evidence` names the page of evidence of a work, relative to this page, if any."""

    folder: Path
    reference: Reference
    remarks: tuple[str, ...]  # reasons that stand above all entries, once
    evidence: Callable[[PhotographRecord, int], str | None]
    _made: int = field(default=0, init=False)

    def entry(self, record: PhotographRecord, index: int | None, rank: Priority) -> Entry:
        """Return the entry of a work, or of a photograph that could not be read."""
        work = None if index is None else record["works"][index]
        page = None if index is None else self.evidence(record, index)
        self._made += 1
        compact = rank in COMPACT or work is None
        return Entry(
            file=self.line(record, index),
            rank=rank,
            compact=compact,
            work=work,
            judgement=self._judgement(work, rank) if work else None,
            reasons=[reason for reason in work["reasons"] if reason not in self.remarks] if work else [record["error"]],
            claim=_claim(record, None if compact else work),
            pictures=list(self._pictures(record, work, rank)) if work and self._made <= PICTURED else [],
            alerts=_alerts(work, claimed(record, work)) if work and rank in ALERTS else [],
            number=None if index is None or len(record["works"]) == 1 else index + 1,
            of=len(record["works"]),
            original=self._name(record["same_as"]) if record["same_as"] else None,
            evidence=quote(page, errors="surrogateescape") if page else None,
            seen=seen_line(record["seen_before"]) if record["seen_before"] else "",
            heading=self._heading(record, work),
            said=client_words(record, work),
            review=earlier_review(review) if work and (review := work["review"]) else "",
            together=together_with(record, work) if work else None,
        )

    def _heading(self, record: PhotographRecord, work: WorkRecord | None) -> str:
        """Return lot and title: the title of the lot, or else that of the object which a work may show."""
        lot = dict(record["lot"] or {})
        if not lot.get("title") and work and work["matches"] and shows_object(work):
            lot["title"] = self.reference.name(work["matches"][0]["object_id"])
        return lot_words(lot)

    def line(self, record: PhotographRecord, index: int | None) -> FileLine:
        """Return all that is said of a file identical to the file of an entry."""
        numbers = record["verdicts"]
        return FileLine(
            photo=self._name(name_of(record)),
            picture=record.get("picture"),
            lot=record["lot"] or {},
            columns=list(_columns(record)),
            verdict=numbers[index or 0] if (index or 0) < len(numbers) else None,
        )

    def _name(self, photo: str) -> str:
        path = Path(photo)
        return str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)

    def _pictures(self, record: PhotographRecord, work: WorkRecord, rank: Priority) -> Iterator[CaptionedPicture]:
        """Yield the probe, and what the probe was compared with; of an unknown work the probe alone, small."""
        side = SMALL if rank in COMPACT else LARGE
        picture = record.get("picture")
        number = picture["number"] if picture else None
        probe = thumbnail(record["photo"], record["sha256"], tuple(work["region"]), side=side, picture=number)
        yield CaptionedPicture(probe, "probe")
        if not work["matches"]:
            return
        for (object_id, exemplar), what in _beside(record, work).items():
            shown = self.reference.thumbnail(object_id, exemplar, side)
            yield CaptionedPicture(shown, what, Path(exemplar).name)

    def _judgement(self, work: WorkRecord, rank: Priority) -> Judgement | None:
        """Return the nearest object and the distance that decides; None where nothing is near."""
        if not work["matches"]:
            return None
        best = work["matches"][0]
        name, compared = deciding(best)
        above = [reason for reason in work["reasons"] if reason in self.remarks]
        return Judgement(
            best=best,
            title="" if rank is Priority.NO_MATCH else self.reference.name(best["object_id"]),
            only_nearest=work["outcome"] not in OF_AN_OBJECT,
            named=shows_object(work),
            judged_by=f"{name} distance",
            bar=DistanceBar.of(compared),
            provisional=is_provisional(above),
        )


def _beside(record: PhotographRecord, work: WorkRecord) -> dict[tuple[str, str], str]:
    """Return the exemplars that a work was compared with, each once, and what each is to the work."""
    near = "exemplar" if work["outcome"] in OF_AN_OBJECT else "nearest"
    compared = claimed(record, work)
    beside: dict[str, MatchRecord | ForgeryRecord | None] = {
        "claimed": compared["matches"][0] if compared and compared["matches"] else None,
        near: work["matches"][0] if shows_object(work) else None,
        "known forgery": work["forgery"],
    }
    shown: dict[tuple[str, str], str] = {}
    for what, other in beside.items():
        if other:
            shown.setdefault((other["object_id"], other["exemplar"]), what)
    return shown


def _alerts(work: WorkRecord, compared: WorkRecord | None) -> list[tuple[Priority, str]]:
    """Return each alert of a work, and of the object the work is claimed to be, in words that cannot be overlooked."""
    raised = {(judged["alert"], alerted(judged)): judged for judged in (compared, work) if judged and judged["alert"]}
    return [
        (alert, alert_sentence(alert_words(judged), judged["register_entry"]))
        for alert in ALERTS
        for (kind, _), judged in raised.items()
        if kind == alert
    ]


def _claim(record: PhotographRecord, below: WorkRecord | None) -> JudgedClaim | None:
    """Return what became of the claim of a lot; what the entry of the work `below` says is left out."""
    claim = record["claim"]
    if not claim:
        return None
    work = claim["work"]
    said_below = bool(work and below and _what_is_said(work) == _what_is_said(below))
    upheld = work is not None and work["outcome"] == Outcome.CONSISTENT
    drawn = work["matches"][:1] if work and not upheld and not said_below else []
    bar = next((DistanceBar.of(deciding(best)[1]) for best in drawn), None)
    return JudgedClaim(claim, said_below, bar)


def _what_is_said(work: WorkRecord) -> tuple[list[MatchRecord], list[str]]:
    """Return what two works have in common of which the same is said."""
    return work["matches"][:1], work["reasons"]


def _columns(record: PhotographRecord) -> Iterator[LotColumn]:
    """Yield the columns of a lot that say something, the usual columns first."""
    lot = record["lot"] or {}
    for name in [*(name for name in LOT_COLUMNS if name in lot), *(name for name in lot if name not in LOT_COLUMNS)]:
        text = str(lot[name] or "")
        if text.strip() and not (name == "claim" and record["claim"]):
            yield LotColumn(name, text, linked=name == "url" and _leads_to_the_web(text))


def _leads_to_the_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https") and url.isprintable() and " " not in url
    except ValueError:
        return False
