"""What `artifact index` says of odd exemplars, and of thresholds that they spoil."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from shlex import quote

from cli.output.text import counted, plain, some
from indexer.building.findings import Findings, OnePicture, OneWork, SeveralWorks
from indexer.building.publish import Published
from indexer.building.same_work import Pair

SHOWN = 10  # of each kind
FELL = 0.5  # of what a threshold was
TINY = 0.0005  # shown as 0.000


def finding_lines(findings: Findings) -> list[str]:
    """Return what there is to say of works that several objects hold, and of objects that hold several works."""
    lines = [
        *_first(map(_one_picture, findings.pictures), "picture"),
        *_first(map(_one_work, findings.works), "pair"),
    ]
    if lines:
        lines.append("  thresholds pass over them; if they are one, merge them in a folder or --exclude one")
    lines += _first(map(_several_works, findings.objects), "object")
    return [*lines, *_of_folders(findings.objects)]


def _of_folders(objects: Sequence[SeveralWorks]) -> list[str]:
    """Return what would make objects of the files in folders, where it is folders that were taken for objects."""
    folders = [found.object_id for found in objects if found.files[0].startswith(f"{found.object_id}/")]
    if len(folders) == 1:
        return [f"  if those are several works: --pattern {quote(plain(folders[0]) + '/{object}')}"]
    return ["  if those are several works: index each folder by itself, and --exclude it here"] if folders else []


def fallen_lines(published: Published) -> list[str]:
    """Return a warning for each threshold that is 0 or fell to less than half, with its cause."""
    before, after = published.before, published.after
    if after is None:
        return []
    causes = {
        "match": f"near each other: {_nearest(published.nearest)}",
        "authenticity": "re-photographs of the new exemplars lie next to them; do they show anything?",
    }
    lines: list[str] = []
    for name, cause in causes.items():
        now, was = getattr(after, name).value, getattr(before, name).value if before else None
        if now is None or (now >= TINY and (was is None or now >= FELL * was)):
            continue
        what = "is 0" if now < TINY else f"fell from {was:.3f} to {now:.3f}"
        lines += [f"warning: the {name} threshold {what}", f"  {cause}"]
    return lines


def _nearest(pairs: Sequence[Pair]) -> str:
    said = [f"{plain(pair.photo.object_id)} and {plain(pair.other.object_id)} ({pair.distance:.3f})" for pair in pairs]
    return ", ".join(said[:3])


def _one_picture(found: OnePicture) -> str:
    return f"{len(found.object_ids)} objects share one picture: {some(found.object_ids)} ({plain(found.file)})"


def _one_work(found: OneWork) -> str:
    names = " and ".join(map(plain, found.object_ids))
    if not found.points:
        return f"{names} look the same, with too little on them to tell them apart"
    return f"{names} show the same work ({found.points} points agree)"


def _several_works(found: SeveralWorks) -> str:
    count = f"{len(found.files)} of {found.photos}"
    return f"{plain(found.object_id)}: {count} photographs are nothing like the others ({some(found.files)})"


def _first(lines: Iterable[str], what: str) -> Iterator[str]:
    found = list(lines)
    yield from islice(found, SHOWN)
    if len(found) > SHOWN:
        yield f"  ... and {counted(len(found) - SHOWN, f'more {what}')} of that kind"
