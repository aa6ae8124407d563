"""Search what earlier screenings saw for works that were stolen, or came to be known as stolen, later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.encoder.stream import Reading
from retrieval.errors import UnreadableImage
from retrieval.finding.confirmation import EXEMPLARS, FeaturesOf, agreeing, confirm_one
from retrieval.finding.match import Match
from retrieval.judging.edition import Edition
from retrieval.judging.judge import compare_all
from retrieval.judging.work import Certainty
from retrieval.machine import cpu_count
from retrieval.moment import day, now
from retrieval.outcome import Outcome
from retrieval.photographs.features import Features
from retrieval.photographs.files import sha256_of
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.photographs.numbered import picture_in
from retrieval.photographs.reader_process import read_here
from retrieval.verdicts.entry import LogEntry, entries_of
from retrieval.verdicts.log import VerdictLog, features_seen

NEAREST = 200  # works seen earlier, by their embedding, that are registered to an object with what is kept of them
AT_ONCE = 20  # objects that are searched for before what was found is logged
AGAIN = 3  # of the nearest that could not be registered so, which are looked at again where the photograph is there

OnProgress = Callable[[int, int], None]
OnSearched = Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Recheck:
    """What a search came to: how many earlier works were searched for how many objects, and the alerts, as logged."""

    objects: int
    searched: int
    alerts: tuple[LogEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """An earlier verdict on a work that may show an object, and how the object lies on what was kept of the work."""

    entry: LogEntry
    object_id: str
    match: Match | None = None  # None: the object, or a double of it, was the best match then

    @property
    def key(self) -> tuple[object, ...]:
        """What verdicts have in common of which the last is rechecked: photograph, place, lot and object."""
        one = self.entry
        return one.sha256, one.photo, one.picture, str(one.lot), self.object_id


def recheck(
    edition: Edition,
    log: VerdictLog,
    objects: Sequence[str],
    *,
    read: Reading = read_here,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    on_progress: OnProgress = lambda done, total: None,
    on_searched: OnSearched = lambda objects: None,
) -> Recheck:
    """Search all that was seen for stolen or missing objects, and log an alert for each work that shows one.

    Works that were matched then, with the object or a double of it, are known by their verdicts; unknown ones by their
    embedding and features, which are registered, and judged where the photograph is still there. What raised that alert
    already raises none again. What is found of some objects is logged, and `on_searched` told of them, before others
    are searched for.
    """
    if not log.entries(limit=1):  # a register may be large, and nothing was seen
        on_searched(objects)
        return Recheck(len(objects), 0)
    kept = log.sighted(edition.encoder.fingerprint)
    found = Recheck(len(objects), len(kept[0]))
    for start in range(0, len(objects), AT_ONCE):
        some = objects[start : start + AT_ONCE]
        then, told = _searched(edition, log, some, kept, read, max_megapixels)
        found = replace(found, searched=found.searched + then, alerts=(*found.alerts, *told))
        on_searched(some)
        on_progress(start + len(some), len(objects))
    return found


def _searched(
    edition: Edition,
    log: VerdictLog,
    objects: Sequence[str],
    sightings: tuple[np.ndarray, np.ndarray],
    read: Reading,
    max_megapixels: float,
) -> tuple[int, list[LogEntry]]:
    """Search for some objects; return how many works were matched with them then, and the alerts, as logged."""
    doubles = _doubles(edition, objects)
    shown = {object_id: [object_id, *doubles[object_id]] for object_id in objects}
    then = [_Seen(entry, object_id) for object_id, same in shown.items() for entry in log.matched(same)]
    hits, near = _sighted(edition, log, objects, *sightings)
    entries = [_as_matched(seen, edition) for seen in _new(log, then)]
    kept = _new(log, hits)
    judged = _judged(edition, [*kept, *_new(log, near)], read, max_megapixels)
    entries += [judged.pop(seen.key) if seen.key in judged else _as_kept(seen, edition) for seen in kept]
    entries += judged.values()  # near, and registered only when they were looked at again
    numbers = log.add(entries) if entries else []
    return len(then), [replace(entry, number=number) for entry, number in zip(entries, numbers, strict=True)]


def _doubles(edition: Edition, objects: Iterable[str]) -> dict[str, list[str]]:
    """Return for each object the others whose exemplars can be laid over one of its own: another entry of one work."""
    found: dict[str, dict[str, None]] = {}
    with Catalogue.reading(edition.data) as catalogue:
        for object_id in objects:
            same = found.setdefault(object_id, {})
            photos = edition.exemplars[object_id][:EXEMPLARS]
            known = catalogue.features(photo.sha256 for photo in photos)
            vectors = edition.finder.vectors.exact(known)
            for photo in photos:
                if (features := known.get(photo.sha256)) is None or photo.sha256 not in vectors:
                    continue
                looks: Callable[[], Features] = partial(known.__getitem__, photo.sha256)
                (work,) = edition.finder.works(
                    features,
                    vectors[photo.sha256],
                    probe=looks,
                    closer=looks,
                    k=1,
                    several=False,
                    limit=None,
                    features_of=catalogue.features,
                )
                same |= {match.object_id: None for match in work.matches if match.registered}
            same.pop(object_id, None)
    return {object_id: list(same) for object_id, same in found.items()}


def _new(log: VerdictLog, seen: Iterable[_Seen]) -> list[_Seen]:
    """Return the last verdict of each work and object that has raised no such alert yet."""
    last = {one.key: one for one in sorted(seen, key=lambda one: one.entry.number or 0)}
    return [one for one in last.values() if not log.has_alerted(one.entry, one.object_id)]


def _sighted(
    edition: Edition, log: VerdictLog, objects: Sequence[str], numbers: np.ndarray, vectors: np.ndarray
) -> tuple[list[_Seen], list[_Seen]]:
    """Return the unknown works on which an object lies, and those that are near only."""
    if not len(numbers):
        return [], []
    known = _exemplar_features(edition, objects)
    vectors = vectors.astype(np.float32)

    def found(object_id: str) -> list[tuple[int, Match]]:
        return list(_tried(edition, object_id, numbers, vectors, known))

    hits: list[_Seen] = []
    near: list[_Seen] = []
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="recheck") as pool:
        for object_id, matches in zip(objects, pool.map(found, objects), strict=True):
            for number, match in matches:
                (hits if match.registered else near).append(_Seen(log.entry(number), object_id, match))
    return hits, near


def _exemplar_features(edition: Edition, objects: Iterable[str]) -> FeaturesOf:
    """Return the features of some objects' exemplars, as they are asked for by their contents."""
    hashes = {photo.sha256: None for object_id in objects for photo in edition.exemplars[object_id]}
    with Catalogue.reading(edition.data) as catalogue:
        known = catalogue.features(hashes)
    return lambda asked: {sha256: known[sha256] for sha256 in asked if sha256 in known}


def _tried(
    edition: Edition, object_id: str, numbers: np.ndarray, vectors: np.ndarray, known: FeaturesOf
) -> Iterator[tuple[int, Match]]:
    """Yield the works nearest to an object that it can be laid over, and some that are near, each by its number."""
    found = edition.finder.vectors.exact({photo.sha256 for photo in edition.exemplars[object_id]})
    photos = [photo for photo in edition.exemplars[object_id] if photo.sha256 in found]
    own = np.stack([found[photo.sha256] for photo in photos])
    distances = np.sqrt(np.maximum(2.0 - 2.0 * own @ vectors.T, 0.0))
    best, order = distances.min(axis=0), np.argsort(distances.min(axis=0), kind="stable")[:NEAREST]
    kept = features_seen(edition.data, numbers[order].tolist())
    again = 0
    for row in order.tolist():
        number = int(numbers[row])
        if number not in kept:
            continue
        exemplar = photos[int(distances[:, row].argmin())].file
        nearest = Match(object_id, exemplar, float(best[row]))
        match = confirm_one(nearest, kept[number], photos, known)
        if agreeing(match):
            yield number, match
        elif again < AGAIN:
            again += 1
            yield number, match


def _judged(
    edition: Edition, seen: Sequence[_Seen], read: Reading, max_megapixels: float
) -> dict[tuple[object, ...], LogEntry]:
    """Return the entries on works whose photograph is still there and shows the object, judged anew against it."""
    there = [one for one in seen if _is_there(one.entry)]
    pairs = [(picture_in(Path(one.entry.photo), one.entry.picture), one.object_id) for one in there]
    found: dict[tuple[object, ...], LogEntry] = {}
    for one, verdict in zip(there, compare_all(edition, pairs, read=read, max_megapixels=max_megapixels), strict=True):
        if any(work.alert for work in verdict.works):
            (entry,) = entries_of(verdict, edition, asked=one.object_id, lot=one.entry.lot)
            found[one.key] = replace(
                entry, photo=one.entry.photo, recheck_of=one.entry.number, reasons=(*entry.reasons, _since(one.entry))
            )
    return found


def _is_there(entry: LogEntry) -> bool:
    try:
        return entry.sha256 is not None and sha256_of(Path(entry.photo)) == entry.sha256
    except (OSError, ValueError, UnreadableImage):
        return False


def _as_matched(seen: _Seen, edition: Edition) -> LogEntry:
    """Return the entry on a work that was matched with the object, or a double, then: as it was, with the alert."""
    sure = seen.entry.outcome == Outcome.CONSISTENT and seen.entry.object_id == seen.object_id
    reasons = seen.entry.reasons
    if seen.entry.object_id != seen.object_id:
        reasons = (
            f"{seen.object_id} can be laid over {seen.entry.object_id}, which the work was matched with",
            *reasons,
        )
    return _alerted(seen, edition, Certainty.CONSISTENT if sure else Certainty.UNDECIDED, reasons)


def _as_kept(seen: _Seen, edition: Edition) -> LogEntry:
    """Return the entry on an unknown work of which only its embedding and features are left."""
    assert seen.match is not None
    away = "it could not be laid over the photograph again" if _is_there(seen.entry) else "the photograph is away"
    points = f"{agreeing(seen.match)} points of the features kept of the work agree with {seen.object_id}"
    return replace(
        _alerted(seen, edition, Certainty.UNDECIDED, (f"{points}; {away}, so that nothing was compared",)),
        outcome=str(Outcome.INCONCLUSIVE),
        object_id=seen.object_id,
        exemplar=str(seen.match.exemplar),
        whole=seen.match.distance,
        local=None,
        combined=None,
        threshold=None,
        likelihood_ratio=None,
        p_value=None,
        condition=None,
    )


def _alerted(seen: _Seen, edition: Edition, certainty: Certainty, reasons: Sequence[str]) -> LogEntry:
    status = edition.register.standing(seen.object_id).status
    said = f"{seen.object_id} is registered as {status}; {_since(seen.entry)}"
    return replace(
        seen.entry,
        date=now(),
        revision=edition.revision,
        asked=seen.object_id,
        reasons=(said, *reasons),
        alert=status and str(status),
        alert_certainty=str(certainty),
        alert_object=seen.object_id,
        recheck_of=seen.entry.number,
        number=None,
    )


def _since(earlier: LogEntry) -> str:
    return f"it was seen on {day(earlier.date)}, verdict {earlier.number}, before that was known"
