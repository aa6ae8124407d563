"""Say what is known of an object as people read it: its status, its metadata, and what the register says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from retrieval.catalogue.rows import FIELDS, MetadataChange, Object
from retrieval.catalogue.standing import ENTRY_FIELDS, FORGERY_OF
from retrieval.catalogue.status_words import Status, understood

# Each status with a sign, for readers who do not see its colour.
SIGNS = {
    Status.STOLEN: "▲",
    Status.MISSING: "△",
    Status.KNOWN_FORGERY: "≠",
    Status.SOLD: "→",
    Status.IN_COLLECTION: "●",
}
NAMES = {
    "title": "Title",
    "maker": "Maker",
    "date": "Date",
    "materials": "Materials",
    "measurements": "Measurements",
    "inscriptions": "Inscriptions",
    "accession": "Accession number",
    "status": "Status",
    FORGERY_OF: "Forgery of",
    "case_number": "Case number",
    "theft_date": "Date of the theft",
    "theft_place": "Place of the theft",
    "authority": "Authority",
    "contact": "Contact",
}


@dataclass(frozen=True, slots=True)
class StatusWords:
    """The status of an object: its sign, the class of its colour, and how it is written."""

    sign: str
    kind: str
    text: str
    meaning: str  # where the text says it in other words, else empty


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is known."""

    name: str
    value: str


def status_words(text: str) -> StatusWords | None:
    """Return a status as it is shown; None where there is none."""
    if not text.strip():
        return None
    status = understood(text).status
    if status is None:
        return StatusWords("·", "other", text, "")
    same = text.strip().casefold() == status
    return StatusWords(SIGNS[status], status.replace(" ", "-"), text, "" if same else str(status))


def known_of(item: Object) -> list[Line]:
    """Return the metadata of an object but its status and case, in an order that people expect."""
    first = [name for name in FIELDS if name in item.metadata and name != "status"]
    shown_elsewhere = {*FIELDS, *ENTRY_FIELDS} if item.metadata.get("status") else set(FIELDS)
    return [Line(name_of(name), item.metadata[name]) for name in (*first, *_others(item, shown_elsewhere))]


def case_of(item: Object) -> list[Line]:
    """Return what the register says of the case of an object that has a status."""
    known = [name for name in ENTRY_FIELDS if item.metadata.get(name, "").strip()]
    return [Line(NAMES[name], item.metadata[name]) for name in known] if item.metadata.get("status") else []


def _others(item: Object, but: set[str]) -> Iterator[str]:
    return (name for name in item.metadata if name not in but and item.metadata[name].strip())


def name_of(field: str) -> str:
    """Return the name of a field of metadata as people read it."""
    return NAMES.get(field) or (field[:1].upper() + field[1:].replace("_", " "))


@dataclass(frozen=True, slots=True)
class Change:
    """What one revision changed."""

    revision: int
    name: str
    before: str
    after: str
    of_status: bool


def changes_in_words(changes: list[MetadataChange]) -> list[Change]:
    """Return what changed, for a table."""
    return [
        Change(change.revision, name_of(change.field), change.before, change.after, change.field == "status")
        for change in changes
    ]
