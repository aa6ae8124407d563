"""Write a screening as one self-contained HTML page: a summary of the day, then what needs a person first."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from string import Template

from cli.output.text import escaped
from cli.pages.day_entries import PICTURED, PROVISIONAL, Entries
from cli.pages.parts import SIGNS, badge, signed
from cli.pictures.thumbnails import Reference
from cli.records.artifact_1 import Record
from cli.records.triage import ALERTS, Priority, priority, triaged

Item = tuple[Record, int | None]  # a record, and the index of a work in it
CALIBRATION = "calibration"  # like `PROVISIONAL`, begins a reason that says where the thresholds come from


@dataclass(frozen=True, slots=True)
class Basis:
    """What the judgements rest on, as the records say it."""

    encoder: str = "none"
    revision: str = "none"
    match: float | None = None
    authenticity: float | None = None
    remarks: tuple[str, ...] = ()  # the sentences that say where the thresholds come from

    def with_record(self, found: Record) -> Basis:
        """Return what is known after another record."""
        basis = replace(self, encoder=str(found["encoder"]), revision=str(found["revision"]))
        for work in (work for work in found["works"] if work["matches"]):
            match, authenticity = (work["matches"][0][f"{kind}_threshold"] for kind in ("match", "authenticity"))
            new = [reason for reason in work["reasons"] if reason.startswith((PROVISIONAL, CALIBRATION))]
            remarks = tuple(dict.fromkeys([*basis.remarks, *new]))
            basis = replace(basis, match=match, authenticity=authenticity, remarks=remarks)
        return basis


@dataclass
class Day:
    """What the top of the page says of all records."""

    basis: Basis = field(default_factory=Basis)
    photographs: int = 0
    identical: int = 0
    counts: Counter[Priority] = field(default_factory=Counter)
    sales: set[str] = field(default_factory=set)
    houses: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, records: Iterator[Record]) -> Day:
        """Read the records once."""
        day = cls()
        for found in records:
            day.basis = day.basis.with_record(found)
            day.photographs += 1
            day.identical += bool(found.get("same_as"))
            day.counts.update(priority(found, work) for work in found["works"] or [None])
            lot = found.get("lot") or {}
            day.sales |= {lot["sale"]} if lot.get("sale") else set()
            day.houses |= {lot["house"]} if lot.get("house") else set()
        return day


def render_html(
    records: Callable[[], Iterator[Record]],
    counts: Mapping[str, int],
    *,
    folder: Path,
    data: Path,
    on_progress: Callable[[int, int], None],
    evidence: Callable[[Record, int], str | None] = lambda found, index: None,
    reviews: Sequence[str] = (),
) -> Iterator[str]:
    """Yield the page in pieces, reading the records twice; what needs a person comes first.

    `counts` are of the outcomes; `evidence` names the evidence page of a work, as a path from the folder of this page;
    `reviews` are sentences on how earlier verdicts fared.
    """
    day = Day.of(records())
    above, below = _template("screening.html").split("<!-- entries -->")
    script = _template("screening.js")
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    yield Template(above).substitute(_heading(folder, day, counts, reviews), script_hash=hashed)
    with ExitStack() as stack:
        entries = Entries(folder, Reference.opened(data, stack), day.basis.remarks, evidence)
        for rank, works in groupby(_followed(triaged(records), on_progress, counts), lambda item: _priority(*item)):
            yield f'<section id="{rank.slug}" data-rank="{rank.slug}">\n{_section_title(rank, day)}'
            yield from _entries(entries, works, rank)
            yield "</section>\n"
    yield Template(below).substitute(script=script)


def _template(name: str) -> str:
    return (files("cli.pages") / "templates" / name).read_text("utf-8")


def _priority(found: Record, index: int | None) -> Priority:
    return priority(found, None if index is None else found["works"][index])


def _section_title(rank: Priority, day: Day) -> str:
    return f'<h2><span class="badge">{signed(rank)}</span> {day.counts[rank]:,} <small>{rank.phrase}</small></h2>\n'


def _followed(
    works: Iterator[Item], on_progress: Callable[[int, int], None], counts: Mapping[str, int]
) -> Iterator[Item]:
    """Yield the works, and say how many there were so far."""
    for done, item in enumerate(works, 1):
        yield item
        on_progress(done, sum(counts.values()))


def _entries(entries: Entries, works: Iterator[Item], rank: Priority) -> Iterator[str]:
    """Yield the entries of one priority, each followed by the files that are identical to it."""
    for _, alike in groupby(works, lambda item: (*_content(item[0]), item[1])):
        end = ""
        for position, (found, index) in enumerate(alike):
            if position == 0:
                yield entries.opening(found, index, rank)
            else:
                yield ('<ul class="alike">\n' if position == 1 else "") + entries.identical(found, index)
                end = "</ul>\n"
        yield f"{end}</div>\n</article>\n"


def _content(found: Record) -> tuple[str, str | None]:
    """Return what is the same for files of which the same is said: the one that was judged, and the claim."""
    return found.get("same_as") or found["photo"], (found.get("claim") or {}).get("object_id")


def _heading(folder: Path, day: Day, counts: Mapping[str, int], reviews: Sequence[str]) -> dict[str, str]:
    """Return what the top of the template leaves open."""
    basis, place = day.basis, folder.resolve()
    return {
        "style": _template("screening.css") + _template("day.css"),
        "name": escaped(place.name or place),
        "folder": escaped(place),
        "written": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        "revision": escaped(basis.revision),
        "encoder": escaped(basis.encoder),
        "authenticity": _number(basis.authenticity),
        "match": _number(basis.match),
        "remark": "".join(f'<p class="remark">{escaped(remark)}.</p>\n' for remark in basis.remarks),
        "summary": _summary(day, sum(counts.values())),
        "cards": "".join(_card(rank, day.counts[rank]) for rank in Priority),
        "sales": _choice("sale", day.sales),
        "houses": _choice("house", day.houses),
        "reviews": f'<p class="reviews">Reviews so far: {escaped(" ".join(reviews))}</p>\n' if reviews else "",
        "outcomes": "".join(f"<li>{badge(outcome)} {counts.get(outcome, 0):,}</li>\n" for outcome in SIGNS),
        "pictured": _pictured(sum(counts.values())),
    }


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _summary(day: Day, works: int) -> str:
    """Return the day in two sentences: what was judged, and what must not be overlooked."""
    if not day.photographs:
        return "<p>There are no photographs in this folder.</p>\n"
    identical = f", {_counted(day.identical, 'identical file')} judged once" if day.identical else ""
    judged = f"{_counted(day.photographs, 'photograph')}{identical}; {_counted(works, 'work')}"
    alerts = [f"{day.counts[rank]:,} {rank}" for rank in ALERTS if day.counts[rank]]
    number = sum(day.counts[rank] for rank in ALERTS)
    said = f'<p class="alert" data-rank="{Priority.STOLEN}"><strong>{_counted(number, "alert")}</strong> '
    alarm = f"{said}{', '.join(alerts)}</p>\n" if alerts else ""
    return f"{alarm}<p><b>{judged}</b>{'' if alerts else '; no alerts'}.</p>\n"


def _card(rank: Priority, count: int) -> str:
    """Return the count of a priority, which filters where there is something to show."""
    inside = (
        f'<strong>{count:,}</strong>\n<span class="badge">{signed(rank)}</span>\n'
        f'<span class="phrase">{rank.phrase}</span>'
    )
    shown = f'<a href="#{rank.slug}">{inside}</a>' if count else f"<div>{inside}</div>"
    return f'<li data-rank="{rank.slug}">{shown}</li>\n'


def _choice(name: str, values: set[str]) -> str:
    """Return a list to choose from; nothing where there is no choice."""
    if not values:
        return ""
    options = "".join(f'<option value="{escaped(value)}">{escaped(value)}</option>\n' for value in sorted(values))
    return f'<label>{name} <select name="{name}">\n<option value="">all</option>\n{options}</select></label>\n'


def _pictured(works: int) -> str:
    return f" Only the first {PICTURED:,} entries have pictures." if works > PICTURED else ""
