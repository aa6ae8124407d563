"""Write a page of evidence for each work of a screening that a person has to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cli.comparing import write_evidence
from cli.journal import Journal
from cli.progress import progress
from cli.triage import Priority, priority, triaged
from retrieval.errors import UnreadableImage
from retrieval.judge import Judge, Probe, Verdict

LAST = Priority.PLAUSIBLE  # what is less urgent gets no page


def write_pages(journal: Journal, judge: Judge, out: Path, *, several: bool, most: float) -> dict[tuple[str, int], str]:
    """Write the pages into a folder beside the output, OUT_evidence; return the address of each by photograph and work.

    The photographs are judged once more; one that is no longer what it was gets none. `most` is in megapixels.
    """
    wanted: dict[Probe, set[int]] = {}
    for probe, index in _wanted(journal):
        wanted.setdefault(probe, set()).add(index)
    folder = out.with_name(f"{out.stem}_evidence")
    addresses: dict[tuple[str, int], str] = {}
    with progress("Writing the evidence") as show:
        verdicts = judge.judge_all(wanted, k=1, several=several, max_megapixels=most)
        for done, (probe, verdict) in enumerate(zip(wanted, verdicts, strict=True), 1):
            for index in sorted(wanted[probe]):
                name = f"{len(addresses) + 1:05}.html"
                if _write(verdict, index, judge, folder / name, most):
                    addresses[str(probe.path), index] = f"{folder.name}/{name}"
            show(done, len(wanted))
    return addresses


def _wanted(journal: Journal) -> Iterator[tuple[Probe, int]]:
    """Yield the photographs, and their works, that need a person, the most urgent first; identical files once.

    Where a claim was not upheld, the claimed object is what the page is about.
    """
    for found, index in triaged(journal.records):
        if index is None or found["same_as"] is not None or not found["works"][index]["matches"]:
            continue
        urgency = priority(found, found["works"][index])
        if urgency.rank <= LAST.rank:
            claimed = found["claim"]["object_id"] if urgency is Priority.CLAIM else None
            yield Probe(Path(found["photo"]), claimed), index


def _write(verdict: Verdict, index: int, judge: Judge, page: Path, most: float) -> bool:
    if index >= len(verdict.works):
        return False
    page.parent.mkdir(exist_ok=True)
    try:
        alone = replace(verdict, works=(verdict.claim or verdict.works[index],))
        write_evidence(alone, judge, report=page, png=None, max_megapixels=most, quiet=True)
    except UnreadableImage:
        return False
    return True
