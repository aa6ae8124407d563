"""What `artifact index` says of the layout of a folder, as it was understood."""

from __future__ import annotations

from shlex import quote

from cli.output.text import NAMED, counted, plain, some
from indexer.building.understood import Understood


def understood_lines(understood: Understood) -> list[str]:
    """Return what a folder was taken for, where it is more than a photograph an object."""
    lines = []
    counts = understood.sizes.values()
    if counts and max(counts) > 1:
        least, most = min(counts), max(counts)
        each = f"{most}" if least == most else f"{least} to {most}"
        largest = ", ".join(f"{plain(object_id)} ({count})" for object_id, count in understood.largest)
        lines.append(f"understood: {counted(len(counts), 'object')} of {each} photographs; the largest: {largest}")
    if understood.pattern:
        fit = understood.photos - len(understood.unfit)
        photos, fits = counted(understood.photos, "photograph"), "fits" if fit == 1 else "fit"
        lines.append(f"{fit} of {photos} {fits} the pattern {quote(plain(understood.pattern))}")
    return lines


def doubt_lines(understood: Understood) -> list[str]:
    """Return where the layout may have been meant otherwise, each with the option that would tell."""
    lines = []
    if understood.unfit and len(understood.unfit) == understood.photos:
        lines.append(f"nothing fits the pattern, as {plain(understood.unfit[0])}; --pattern '' forgets it")
    if understood.groups:
        named = [f"{name} ({understood.sizes[name]})" for name in understood.groups]
        lines.append(f"taken for one object each, but called like folders of many: {some(named)}")
        alone = " ".join(f"--exclude {quote(plain(f'{name}/'))}" for name in understood.groups[:NAMED])
        otherwise = f"index each by itself, and the folder with {alone}"
        lines.append(_hint(understood.groups_pattern, otherwise))
    if understood.views is not None:
        lines.append(f"taken for objects, but called like views of one: {some(understood.views.names)}")
        lines.append(_hint(understood.views.pattern, "put each object into a folder"))
    return lines


def _hint(pattern: str, otherwise: str) -> str:
    return f"  if they are: {f'--pattern {quote(plain(pattern))}' if pattern else otherwise}"
