"""What the report shows of one work of a screening: pictures, alert, object, distance, reasons and lot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from cli.pages.parts import Bar
from cli.pictures.thumbnails import Thumbnail
from cli.records.artifact_1 import Record
from cli.records.lines import LOT_COLUMNS, seen_words
from cli.records.triage import ALERTS, Priority, claimed, deciding
from retrieval.outcome import OF_AN_OBJECT, UNREADABLE, Outcome

COMPACT = (Priority.CONSISTENT, Priority.NO_MATCH)
PROVISIONAL = "provisional"  # begins a reason
NOT_A_MATCH = "nearest, not a match"
ALERT_WORDS = {
    Priority.STOLEN: "This is consistent with an object that is registered as stolen.",
    Priority.MISSING: "This is consistent with an object that is registered as missing.",
    Priority.KNOWN_FORGERY: "This is consistent with a known forgery.",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A photograph beside others, with what it is; an exemplar with the name of its file."""

    shown: Thumbnail
    caption: str
    file: str = ""

    @property
    def kind(self) -> str:
        """How it is shown."""
        return "aside" if self.caption == NOT_A_MATCH else ""


@dataclass(frozen=True, slots=True)
class LotColumn:
    """What a lot says under one name."""

    name: str
    text: str

    @property
    def leads_to_the_web(self) -> bool:
        """Whether the text is an address that a link may lead to."""
        try:
            web = self.name == "url" and urlsplit(self.text).scheme in ("http", "https")
        except ValueError:
            return False
        return web and self.text.isprintable() and " " not in self.text


@dataclass(frozen=True, slots=True)
class PhotoLine:
    """A photograph of a record with its lot: all that is said of a file identical to that of an entry."""

    found: Record
    index: int | None
    photo: str

    @property
    def lot(self) -> Mapping[str, str]:
        """The lot as it was read."""
        return self.found.get("lot") or {}

    @property
    def columns(self) -> list[LotColumn]:
        """The columns of the lot that say something, those that are usual first."""
        lot = self.lot
        names = [*(name for name in LOT_COLUMNS if name in lot), *(name for name in lot if name not in LOT_COLUMNS)]
        said = {name: str(lot[name] or "") for name in names if not (name == "claim" and self.found.get("claim"))}
        return [LotColumn(name, text) for name, text in said.items() if text.strip()]

    @property
    def verdict(self) -> int | None:
        """The number of the verdict, where it was recorded."""
        numbers, index = self.found.get("verdicts") or [], self.index or 0
        return numbers[index] if index < len(numbers) else None


@dataclass(frozen=True, slots=True)
class Entry(PhotoLine):
    """A work of a record, or a photograph that could not be read, as the report shows it."""

    rank: Priority
    pictures: tuple[Picture, ...]
    remarks: tuple[str, ...]  # reasons that stand above all, not in every entry
    original: str  # the photograph that is the same file, if any
    evidence: str  # the address of the page of evidence, if any
    object_title: str

    @property
    def work(self) -> Record | None:
        """The work; None of a photograph that could not be read."""
        return None if self.index is None else self.found["works"][self.index]

    @property
    def best(self) -> Record | None:
        """The nearest object, if any."""
        return self.work["matches"][0] if self.work and self.work["matches"] else None

    @property
    def others(self) -> list[Record]:
        """The next nearest objects."""
        return self.work["matches"][1:] if self.work else []

    @property
    def outcome(self) -> str:
        """What is said of the work."""
        return self.work["outcome"] if self.work else UNREADABLE

    @property
    def compact(self) -> bool:
        """Whether it needs no person, and so less room."""
        return self.rank in COMPACT or self.work is None

    @property
    def kind(self) -> str:
        """How it is laid out."""
        return " ".join(["compact"] * self.compact + ["bare"] * (not self.pictures))

    @property
    def position(self) -> str:
        """Which work of several it is."""
        works = self.found["works"]
        return f"work {self.index + 1} of {len(works)}" if self.index is not None and len(works) > 1 else ""

    @property
    def alerts(self) -> list[tuple[Priority, str]]:
        """Each alert of the work, and of what it was claimed to be, in words that cannot be overlooked."""
        if self.work is None or self.rank not in ALERTS:
            return []
        judged = [each for each in (self.work, claimed(self.found, self.work)) if each and each.get("alert")]
        alerts = {Priority(each["alert"]) for each in judged}
        return [(alert, ALERT_WORDS[alert]) for alert in ALERTS if alert in alerts]

    @property
    def reasons(self) -> list[str]:
        """Why the work is judged so, but for what stands above all; or why it could not be read."""
        said = self.work["reasons"] if self.work else [self.found["error"]]
        return [reason for reason in said if self.work is None or reason not in self.remarks]

    @property
    def provisional(self) -> bool:
        """Whether it stands above all that the thresholds of this work are provisional."""
        reasons = self.work["reasons"] if self.work else []
        return any(reason.startswith(PROVISIONAL) for reason in reasons if reason in self.remarks)

    @property
    def only_nearest(self) -> bool:
        """Whether the nearest object is not said to be the one shown."""
        return self.outcome not in OF_AN_OBJECT

    @property
    def judged_by(self) -> tuple[str, Bar]:
        """The distance that decides: its name, and its bar."""
        assert self.best is not None, "asked only of a work that is near to something"
        name, compared = deciding(self.best)
        return name, Bar.of(compared)

    @property
    def claim(self) -> Record | None:
        """What the lot is said to be, and what became of it."""
        return self.found.get("claim")

    @property
    def claim_is_the_work(self) -> bool:
        """Whether the entry says of the work all that would be said of the claimed object."""
        if self.compact or self.work is None or self.claim is None or self.claim["work"] is None:
            return False
        return _judgement(self.claim["work"]) == _judgement(self.work)

    @property
    def claim_bar(self) -> Bar | None:
        """The bar of a claim that was not upheld, unless it is that of the work."""
        judged = self.claim and self.claim["work"]
        if not judged or judged["outcome"] == Outcome.CONSISTENT or not judged["matches"] or self.claim_is_the_work:
            return None
        return Bar.of(deciding(judged["matches"][0])[1])

    @property
    def seen(self) -> list[str]:
        """Where the photograph, or a work on it, was seen before."""
        return [seen_words(seen) for seen in self.found.get("seen_before") or ()]


def _judgement(work: Record) -> tuple[list[Record], list[str]]:
    """Return what is the same for works of which the same is said."""
    return work["matches"][:1], work["reasons"]
