"""Say of a recorded verdict in one sentence what was found, in one how sure that is, and in one what to do."""

from __future__ import annotations

from cli.records.client_words import (
    LOOK,
    ClientWords,
    ask_for_help,
    beside_threshold,
    hold_back,
    is_provisional,
    sentence,
    unreadable_words,
    without_threshold,
)
from retrieval.catalogue.standing import RegisterEntry
from retrieval.catalogue.status_words import ALERTING, Status
from retrieval.outcome import UNREADABLE, Outcome
from retrieval.verdicts.entry import LogEntry


def entry_words(entry: LogEntry, register: RegisterEntry | None = None) -> ClientWords:
    """Return what to tell of a verdict; `register` is what the register says of the object of its alert."""
    if entry.outcome == UNREADABLE:
        return unreadable_words(entry.reasons[0] if entry.reasons else "")
    what = _what(entry)
    if entry.together is not None:
        what = f"{len(entry.together)} photographs together: {what[:1].lower()}{what[1:]}"
    return ClientWords(what, _sure(entry), _then(entry, register))


def is_claim(entry: LogEntry) -> bool:
    """Say whether a verdict is on what a lot is said to be, and that is not upheld."""
    return entry.is_of_claim and not entry.alert and entry.outcome != Outcome.CONSISTENT


def _what(entry: LogEntry) -> str:
    if entry.alert == Status.KNOWN_FORGERY and entry.alert_object and entry.alert_object != entry.object_id:
        return f"The same picture as the known forgery {entry.alert_object}."
    if entry.outcome == Outcome.NO_MATCH:
        return "A work that is not in the catalogue, which is no sign of a forgery."
    if entry.object_id is None:
        return "Nothing can be said of it by this photograph."
    same, closely = f"The same picture as {entry.object_id}", entry.combined is not None
    if entry.outcome == Outcome.CONSISTENT:
        near = f"As near to {entry.object_id} as a genuine photograph."
        return f"{same}; nothing that differs was found." if closely else near
    if entry.outcome == Outcome.DIVERGENT:
        far = f"It resembles {entry.object_id}, but less than a genuine photograph does."
        return f"{same}; something differs." if closely else far
    return f"It may be {entry.object_id}; that cannot be said by this photograph."


def _sure(entry: LogEntry) -> str:
    """Return how sure a verdict is: the distance that decided with its threshold, and what stands behind that."""
    distance = entry.decisive
    if entry.outcome == Outcome.INCONCLUSIVE or distance is None:
        return sentence(entry.reasons[0] if entry.reasons else "")
    name = entry.decided_by
    if entry.threshold is None:
        return without_threshold(name, distance)
    if entry.outcome == Outcome.NO_MATCH:
        return f"The nearest object lies at a {name} distance of {distance:.3f}."
    said = f"{beside_threshold(name, distance, entry.threshold)}."
    return f"{said} The threshold is provisional." if is_provisional(entry.reasons) else said


def _then(entry: LogEntry, register: RegisterEntry | None) -> str:
    if entry.alert in ALERTING:
        return hold_back(register.authority, register.contact) if register else hold_back("", "")
    if entry.outcome == Outcome.DIVERGENT:
        if entry.alert == Status.KNOWN_FORGERY:
            return "Take it for the forgery until a person has examined the object."
        if entry.combined is not None:
            return LOOK.replace("Look there", "Look where the two differ,", 1)
        return "Compare the two by eye; a larger photograph, straight on, would show more."
    if entry.outcome == Outcome.INCONCLUSIVE:
        return ask_for_help(entry.reasons)
    return "Ask what it is that the lot is said to be." if is_claim(entry) else "Nothing stands out."
