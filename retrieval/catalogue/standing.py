"""What a register says of an object: whether it is stolen, missing, sold, or itself a known forgery."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from retrieval.catalogue.rows import Object
from retrieval.catalogue.status_words import ALARMS, ALERTING, Status, understood

FORGERY_OF = "forgery_of"  # column of catalogue.csv: the genuine object that a known forgery imitates
THEFT_DATE = "theft_date"
ENTRY_FIELDS = ("case_number", THEFT_DATE, "theft_place", "authority", "contact")  # columns of a register


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """What a register says of one object: its status as it is written, the case, and whom to tell."""

    object_id: str
    status: str = ""
    case_number: str = ""
    theft_date: str = ""
    theft_place: str = ""
    authority: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The status of an object, as it is written in the catalogue and as it is understood."""

    text: str = ""
    status: Status | None = None
    forgery_of: str | None = None  # of a known forgery: the genuine object
    doubt: str = ""  # what makes the understanding doubtful
    entry: RegisterEntry | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """The standing of every object that has one, and the known forgeries of each genuine object.

    Of a large catalogue only what raises an alarm is in it; `rest` finds another object when it is asked for.
    """

    standings: dict[str, Standing]
    forgeries: dict[str, tuple[str, ...]]
    rest: Callable[[str], Object | None] = lambda object_id: None

    @classmethod
    def of(cls, objects: Iterable[Object], rest: Callable[[str], Object | None] = lambda object_id: None) -> Register:
        """Return what the metadata of the objects says."""
        standings = {item.object_id: found for item in objects if (found := _standing(item)) is not None}
        forgeries: dict[str, tuple[str, ...]] = {}
        for object_id, found in standings.items():
            if found.status is Status.KNOWN_FORGERY and found.forgery_of is not None:
                forgeries[found.forgery_of] = (*forgeries.get(found.forgery_of, ()), object_id)
        return cls(standings, forgeries, rest)

    def standing(self, object_id: str) -> Standing:
        """Return the standing of an object; an empty one where nothing is said."""
        if object_id in self.standings:
            return self.standings[object_id]
        item = self.rest(object_id)
        return (_standing(item) if item is not None else None) or Standing()

    @property
    def alarms(self) -> dict[Status, tuple[str, ...]]:
        """The objects of each status that raises an alarm, where there are any."""
        found = {
            status: tuple(key for key, standing in self.standings.items() if standing.status is status)
            for status in ALARMS
        }
        return {status: objects for status, objects in found.items() if objects}

    @property
    def doubts(self) -> dict[str, str]:
        """What is doubtful in the status of each object, where anything is."""
        return {object_id: standing.doubt for object_id, standing in self.standings.items() if standing.doubt}

    def is_forgery(self, object_id: str) -> bool:
        """Say whether an object is a known forgery."""
        return self.standing(object_id).status is Status.KNOWN_FORGERY

    def is_wanted(self, object_id: str) -> bool:
        """Say whether an object is stolen or missing."""
        return self.standing(object_id).status in ALERTING

    def entry(self, object_id: str) -> RegisterEntry:
        """Return the entry of an object in the register."""
        return self.standing(object_id).entry or RegisterEntry(object_id)


def _standing(item: Object) -> Standing | None:
    text = item.metadata.get("status", "").strip()
    if not text:
        return None
    found = understood(text)
    fields = {name: " ".join(item.metadata.get(name, "").split()) for name in ENTRY_FIELDS}
    entry = RegisterEntry(item.object_id, text, **fields) if found.status in ALARMS else None
    return Standing(text, found.status, item.metadata.get(FORGERY_OF, "").strip() or None, found.doubt, entry)
