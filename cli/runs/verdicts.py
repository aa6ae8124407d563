"""What `artifact verdicts` and `artifact verdict` print of the log of verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import typer

from cli.output.terminal import alarming, echo_wrapped, styled
from cli.output.text import plain
from cli.output.writing import check_targets, exemplars_at
from cli.records.alert_words import short_word, words_of
from cli.records.artifact_1 import dumps
from cli.records.entry_words import is_claim
from cli.records.lines import lot_words
from cli.runs.judging_options import JudgingOptions
from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import CatalogueMissing, UnknownVerdict
from retrieval.machine import cpu_count
from retrieval.moment import shown, shown_shortly
from retrieval.outcome import Outcome
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.replay import TOLERANCE, Replay, judged_again, replay
from retrieval.verdicts.reviews import OVERRULE
from retrieval.verdicts.withdrawals import KeptReview, history


def run_verdicts(data: Path, *, outcome: str | None, photo: str | None, limit: int | None, as_json: bool) -> None:
    """Print recorded verdicts, the last one first."""
    with VerdictLog.reading(data) as log:
        entries = log.entries(outcome=outcome, photo=photo, limit=limit)
    if as_json:
        typer.echo(dumps([entry.to_json() for entry in entries], indent=2))
        return
    if entries:
        print_entries(entries, data, dated=shown_shortly)


def print_entries(entries: Sequence[LogEntry], data: Path, *, dated: Callable[[str], str]) -> None:
    """Print verdicts, two lines each, with their dates in a form."""
    titles = _titles(data, [object_of(entry) for entry in entries])
    for line in _listed(entries, titles, dated):
        typer.echo(line)


def _listed(entries: Sequence[LogEntry], titles: Mapping[str, str], dated: Callable[[str], str]) -> Iterator[str]:
    """Yield two lines a verdict: what was said of which object; and below, which lot and photograph it is."""
    yield f"{'verdict':>7}  {'outcome':<16}  {'distance':<14}  object"
    for entry in entries:
        known = str(entry.asked) if entry.is_of_claim else object_of(entry)
        object_words = ", ".join(text for text in (known, titles.get(known, "")) if text)
        what = "claim not upheld" if is_claim(entry) else said_of(entry)
        said = f"{entry.number:>7}  {what:<16}  {distance_of(entry):<14}  {object_words}".rstrip()
        yield alarming(said) if entry.alert else plain(said)
        why = entry.reasons[0] if entry.reasons and entry.object_id is None else ""
        below = (lot_words(entry.lot), in_folder(entry), dated(entry.date), why)
        yield plain(f"{'':>9}{'; '.join(text for text in below if text)}")


def _titles(data: Path, object_ids: Sequence[str]) -> Mapping[str, str]:
    """Return the titles of objects; none where the log lies by itself, without a catalogue."""
    with suppress(CatalogueMissing), Catalogue.reading(data) as catalogue:
        return catalogue.titles(object_ids)
    return {}


def said_of(entry: LogEntry) -> str:
    """Return what a table says of a verdict: its alert, or else its outcome."""
    return short_word(entry.alert, entry.alert_certainty) if entry.alert else entry.outcome


def distance_of(entry: LogEntry) -> str:
    """Return the distance that decided, with its name, for a table."""
    return "" if entry.decisive is None else f"{entry.decided_by} {entry.decisive:.3f}"


def object_of(entry: LogEntry) -> str:
    """Return the object that a verdict is on, or its alert, for a table; an unknown work is on none."""
    if entry.alerted:
        return entry.alerted
    return "" if entry.object_id is None or entry.outcome == Outcome.NO_MATCH else entry.object_id


def in_folder(entry: LogEntry) -> str:
    """Return a photograph by its name, after that of its folder."""
    return str(Path(*Path(entry.name).parts[-2:]))


def run_verdict(
    number: int,
    data: Path,
    *,
    judging: JudgingOptions | None,
    as_json: bool,
) -> bool:
    """Print one verdict with its reviews, and with `judging` whether it still holds; return False where it does not."""
    with VerdictLog.reading(data) as log:
        entry, decided = log.entry(number), history(log, number)
        parts = [log.entry(one) for one in entry.together or ()]
    made_again = None
    if judging is not None:
        edition = judging.open_edition(data, parallel=cpu_count())
        made_again = replay(entry, edition, max_megapixels=judging.max_megapixels, parts=parts)
    if as_json:
        replayed = made_again and _replay_json(made_again)
        typer.echo(dumps(verdict_record(entry, decided) | {"replay": replayed}, indent=2))
    else:
        _print(entry)
        for kept in decided:
            _print_review(kept)
        for line in _replay_lines(made_again) if made_again else ():
            typer.echo(line)
    return made_again is None or made_again.holds


def verdict_record(entry: LogEntry, decided: Sequence[KeptReview]) -> dict[str, Any]:
    """Return one verdict as JSON shows it, with the reviews that count, and those that were taken back."""
    taken = [asdict(kept.review) | {"withdrawal": asdict(kept.withdrawal)} for kept in decided if kept.withdrawal]
    counting = [asdict(kept.review) for kept in decided if kept.withdrawal is None]
    return entry.to_json() | {"reviews": counting, "withdrawn": taken}


def write_report(number: int, data: Path, report: Path, *, judging: JudgingOptions) -> None:
    """Write the page of evidence of a recorded verdict, made again with the calibration of then."""
    from cli.evidence.evidence import Origin
    from cli.evidence.gather import write_evidence

    with VerdictLog.reading(data) as log:
        entry = log.entry(number)
    edition = judging.open_edition(data, parallel=cpu_count())
    check_targets([report], [Path(entry.photo), *exemplars_at([report], edition)])
    made = judged_again(entry, edition, max_megapixels=judging.max_megapixels)
    work = made.verdict.works[made.work] if made.verdict.works else None
    if work is None or not work.matches:
        raise UnknownVerdict(f"verdict {number} names no object, so that there is nothing to lay beside the photograph")
    for remark in made.remarks:
        typer.echo(remark, err=True)
    if (str(work.decision.outcome), work.matches[0].object_id) != (entry.outcome, entry.object_id):
        typer.echo(
            plain(f"verdict {number} said {entry.outcome}, {entry.object_id}; the page shows it made again"), err=True
        )
    write_evidence(
        replace(made.verdict, works=(work,)),
        made.edition,
        report=report,
        png=None,
        max_megapixels=judging.max_megapixels,
        origin=Origin(number, lot_words(entry.lot)),
    )


def _replay_json(made_again: Replay) -> dict[str, Any]:
    return {
        "holds": made_again.holds,
        "identical": made_again.identical,
        "largest_difference": made_again.largest,
        "remarks": list(made_again.remarks),
        "now": made_again.now.to_json(),
    }


def _print(entry: LogEntry) -> None:
    if entry.alert:
        words = words_of(entry.alert, entry.alert_certainty, entry.alerted)
        typer.echo(alarming(f"ALERT, {entry.alert}: {entry.name} {words}"))
    typer.echo(f"verdict {entry.number} of {shown(entry.date)}: " + styled(entry.outcome, colour=not entry.alert))
    typer.echo(f"  photo: {plain(entry.name)}")
    if entry.together is None:
        typer.echo(f"  sha256: {entry.sha256}")
    else:
        typer.echo(f"  rests on the verdicts {', '.join(map(str, entry.together))}")
    if entry.lot is not None:
        echo_wrapped("lot: " + "; ".join(f"{name} {value}" for name, value in entry.lot.items() if value))
    if object_of(entry) and entry.object_id:
        typer.echo(f"  object: {plain(entry.object_id)}, exemplar {plain(str(entry.exemplar))}")
    for name, value in (("global", entry.whole), ("local", entry.local), ("combined", entry.combined)):
        if value is not None:
            typer.echo(f"  {name} distance: {value:.6f}")
    if entry.threshold is not None:
        typer.echo(f"  threshold: {entry.threshold:.6f}")
    for reason in entry.reasons:
        echo_wrapped(reason)
    calibration = "none" if entry.calibration is None else str(entry.calibration)
    typer.echo(f"  encoder {entry.encoder}, revision {entry.revision}, calibration {calibration}")


def _print_review(kept: KeptReview) -> None:
    review, withdrawal = kept.review, kept.withdrawal
    held = f"accepted by {review.name}"
    if review.decision == OVERRULE:
        held = f"overruled by {review.name}: {review.outcome}" + (f", {review.object_id}" if review.object_id else "")
    echo_wrapped(f"review {review.number} of {shown(review.date)}: {held}")
    if review.reason:
        echo_wrapped(f"  {review.reason}")
    if withdrawal is not None:
        why = f": {withdrawal.reason}" if withdrawal.reason else ""
        echo_wrapped(f"  taken back by {withdrawal.name} on {shown(withdrawal.date)}, it no longer counts{why}")


def _replay_lines(made_again: Replay) -> list[str]:
    if made_again.identical:
        said = "it holds, bit for bit"
    elif made_again.holds:
        said = f"it holds; the distances differ by {made_again.largest:.2g} at most ({TOLERANCE:g} is allowed)"
    else:
        now = made_again.now
        said = f"it no longer holds; now {now.outcome}, {now.object_id}, distance {distance_of(now)}"
    return [f"made again: {said}", *(f"  {remark}" for remark in made_again.remarks)]
