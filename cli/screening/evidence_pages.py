"""Write a page of evidence for each work of a screening that a person has to look at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from cli.evidence.evidence import Origin
from cli.evidence.gather import write_evidence
from cli.output.progress import progress
from cli.records.artifact_1 import PhotographRecord, name_of
from cli.records.lines import each_work, lot_words
from cli.records.triage import Priority, priority
from cli.screening.journal import Journal
from retrieval.errors import UnreadableImage
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Probe, Verdict, judge_all

# Of a page: photograph, content, which work on it, claimed object, which picture in a file of several.
PageKey = tuple[str, str | None, int, str | None, int | None]
LAST = Priority.PLAUSIBLE  # less urgent works get no page


def page_key(record: PhotographRecord, index: int) -> PageKey:
    """Return what tells the page of one work of a record from every other; identical files share theirs."""
    claimed = record["claim"] and record["claim"]["object_id"]
    return record["same_as"] or name_of(record), record["sha256"], index, claimed, _number(record)


def _number(record: PhotographRecord) -> int | None:
    picture = record.get("picture")
    return picture["number"] if picture else None


def page_name(key: PageKey) -> str:
    """Return the file name of a page, the same in every run: an address that somebody kept leads to the same work."""
    told_apart = key[1:] if key[-1] is not None else key[1:-1]
    return f"{hashlib.sha256(repr(told_apart).encode()).hexdigest()[:16]}.html"


def write_pages(
    pages: dict[PageKey, str],
    journal: Journal,
    edition: Edition,
    out: Path,
    *,
    several: bool,
    max_megapixels: float,
    drawn: bool = True,
) -> None:
    """Write the missing pages into a folder beside the output, OUT_evidence, and note their addresses in `pages`.

    The photographs are judged once more; one that has changed since gets no page, but keeps the one that an
    interrupted run has written.
    """
    missing: dict[Probe, list[tuple[PageKey, Origin]]] = {}
    for probe, key, record in _needing_a_person(journal):
        if key not in pages:
            origin = _origin(record, None if probe.claim else key[2], out)
            missing.setdefault(probe, []).append((key, origin))
    folder = out.with_name(f"{out.stem}_evidence")
    with progress("Writing the evidence", drawn=drawn) as show:
        verdicts = judge_all(edition, missing, k=1, several=several, max_megapixels=max_megapixels)
        for done, (keys, verdict) in enumerate(zip(missing.values(), verdicts, strict=True), 1):
            for key, origin in keys:
                page = folder / page_name(key)
                if _write(verdict, key, edition, page, max_megapixels, origin) or (journal.taken_up and page.exists()):
                    pages[key] = f"{folder.name}/{page.name}"
            show(done, len(missing))


def _needing_a_person(journal: Journal) -> Iterator[tuple[Probe, PageKey, PhotographRecord]]:
    """Yield each work that needs a person: its photograph, the key of its page, its record; identical files once.

    Where a claim was not upheld, the claimed object is what the page is about.
    """
    for record, index in each_work(journal.records()):
        if index is None or record["same_as"] is not None or not record["works"][index]["matches"]:
            continue
        urgency = priority(record, record["works"][index])
        if urgency.rank <= LAST.rank:
            claimed = record["claim"]["object_id"] if record["claim"] and urgency is Priority.CLAIM else None
            yield Probe(Path(record["photo"]), claimed, _number(record)), page_key(record, index), record


def _origin(record: PhotographRecord, index: int | None, out: Path) -> Origin:
    """Return where the evidence on a work of a record comes from; None: on what is claimed, which has no number."""
    numbers = record["verdicts"]
    number = numbers[index] if index is not None and index < len(numbers) else None
    return Origin(number, lot_words(record["lot"]), f"../{quote(out.name, errors='surrogateescape')}")


def _write(verdict: Verdict, key: PageKey, edition: Edition, page: Path, max_megapixels: float, origin: Origin) -> bool:
    _, sha256, index, *_ = key
    if verdict.sha256 != sha256 or index >= len(verdict.works):
        return False
    page.parent.mkdir(exist_ok=True)
    try:
        alone = replace(verdict, works=(verdict.claim or verdict.works[index],))
        write_evidence(alone, edition, report=page, png=None, max_megapixels=max_megapixels, quiet=True, origin=origin)
    except UnreadableImage:
        return False
    return True
