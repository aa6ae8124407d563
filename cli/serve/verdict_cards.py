"""Gather what the pages of the queue show of recorded verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cli.pages.parts import DistanceBar
from cli.records.alert_words import alert_sentence, words_of
from cli.records.client_words import ClientWords
from cli.records.entry_words import entry_words, is_claim
from cli.records.lines import lot_words, offer_words
from cli.records.of_verdict import entry_record
from cli.runs.verdicts import in_folder
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.lookups import exemplar_of, has_object
from retrieval.catalogue.standing import Register, RegisterEntry
from retrieval.moment import day
from retrieval.verdicts.deciding import last_review
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog


@dataclass(frozen=True, slots=True)
class VerdictCard:
    """What a page shows of a verdict, beside the entry itself."""

    entry: LogEntry
    object_id: str  # empty: of none
    title: str
    exemplar: int | None  # id of the exemplar to show
    picture: int | None  # the verdict whose picture to show
    said: ClientWords
    alert: str
    seen: int  # the last review of the same photograph and object

    @property
    def bar(self) -> DistanceBar | None:
        """The distance that decided, beside its threshold."""
        distance = self.entry.decisive
        return None if distance is None else DistanceBar(distance, self.entry.threshold, None)

    @property
    def offer(self) -> str:
        """Where it was offered, and as what."""
        lot = self.entry.lot
        named = lot_words(lot)
        offered = offer_words({name: value for name, value in (lot or {}).items() if name != "lot"})
        return "; ".join(text for text in (named, offered) if text)

    @property
    def name(self) -> str:
        """The photograph after the name of its folder."""
        return in_folder(self.entry)

    @property
    def day(self) -> str:
        """The day of the verdict."""
        return day(self.entry.date)

    @property
    def is_claim(self) -> bool:
        """Whether a lot is not shown to be what it is said to be."""
        return is_claim(self.entry)

    @property
    def can_compare(self) -> bool:
        """Whether there is something to lay beside the photograph."""
        return self.exemplar is not None and self.picture is not None


def card_of(log: VerdictLog, catalogue: Catalogue, entry: LogEntry) -> VerdictCard:
    """Return what a page shows of a verdict."""
    assert entry.number is not None
    object_id = entry.about
    register = _register_entry(catalogue, entry.alerted) if entry.alert else None
    alert = ""
    if register is not None:
        alert = alert_sentence(words_of(entry.alert, entry.alert_certainty, entry.alerted), entry_record(register))
    whole = entry.together
    shown = entry.number if entry.has_picture else (whole or (None,))[0]
    return VerdictCard(
        entry=entry,
        object_id=object_id or "",
        title=catalogue.titles([object_id])[object_id] if object_id else "",
        exemplar=exemplar_to_show(catalogue, entry, object_id) if object_id else None,
        picture=shown,
        said=entry_words(entry, register),
        alert=alert,
        seen=last_review(log, entry.number),
    )


def cards_of(log: VerdictLog, catalogue: Catalogue, numbers: Sequence[int]) -> list[VerdictCard]:
    """Return what a page shows of some verdicts."""
    return [card_of(log, catalogue, log.entry(number)) for number in numbers]


def _register_entry(catalogue: Catalogue, object_id: str | None) -> RegisterEntry:
    """Return what the register says of an object; little of one that was removed since."""
    named = object_id or ""
    return Register.of([catalogue.object(named)] if has_object(catalogue, named) else []).entry(named)


def exemplar_to_show(catalogue: Catalogue, entry: LogEntry, object_id: str) -> int | None:
    """Return the id of the exemplar that a photograph was compared with, or else of the first one of the object."""
    found = exemplar_of(catalogue, object_id, entry.exemplar) or next(iter(catalogue.photos(object_id)), None)
    return found.photo_id if found else None
