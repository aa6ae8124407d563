"""Say an alert in words: what a photograph shows, how sure that is, and what the register says of the work."""

from __future__ import annotations

from cli.records.artifact_1 import PhotographRecord, RegisterEntryRecord, WorkRecord, alarming_works, alerted, name_of
from retrieval.catalogue.status_words import Status
from retrieval.judging.work import Certainty

UNDECIDED = "original or copy undecided"


def alert_words(work: WorkRecord) -> str:
    """Return what the alert of a work says, after `the photograph`."""
    return words_of(work["alert"], work["alert_certainty"], alerted(work))


def words_of(alert: str | None, certainty: str | None, object_id: str | None) -> str:
    """Return what an alert says of an object, after `the photograph`."""
    if alert == Status.KNOWN_FORGERY:
        return f"shows a known forgery, {object_id}"
    if certainty == Certainty.UNDECIDED:
        return f"shows a work registered as {alert}, {object_id}; {UNDECIDED}"
    return f"is consistent with a work registered as {alert}, {object_id}"


def short_word(alert: str, certainty: str | None) -> str:
    """Return an alert as a table shows it, in capitals, with a question mark where original or copy is undecided."""
    return alert.upper() + ("?" if certainty == Certainty.UNDECIDED else "")


def entry_words(entry: RegisterEntryRecord | None) -> str:
    """Return what the register says of the case of an object; empty where it says nothing more than a status."""
    if not entry:
        return ""
    theft = ", ".join(filter(None, (entry["theft_date"], entry["theft_place"])))
    said = {"case": entry["case_number"], "theft": theft, "authority": entry["authority"], "contact": entry["contact"]}
    return "; ".join(f"{name} {text}" for name, text in said.items() if text)


def alert_sentence(words: str, entry: RegisterEntryRecord | None) -> str:
    """Return what an alert says on a page: its words, which go after `this`, and what the register says of the case."""
    case = entry_words(entry)
    return f"This {words}.{f' {case[0].upper()}{case[1:]}.' if case else ''}"


def alert_lines(record: PhotographRecord) -> list[str]:
    """Return a line for each alert of a photograph, also of the work that it is claimed to be."""
    return [alert_line(record, work) for work in alarming_works(record)]


def alert_line(record: PhotographRecord, work: WorkRecord) -> str:
    """Return the alert of one work on a photograph in a line."""
    case = entry_words(work["register_entry"])
    return f"ALERT, {work['alert']}: {name_of(record)} {alert_words(work)}{f' ({case})' if case else ''}"
