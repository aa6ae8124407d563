"""Guess from names alone where a layout was meant otherwise than it is understood."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_YEAR = r"(1[4-9]|20)\d\d"
_GROUPS = (
    r"loans?|leihgaben?|pr[eê]ts?|prestit[oi]|pr[eé]stamos?|acquisitions?|purchases?|gifts?|donations?|neuzug(ä|ae)nge|"
    r"deposits?|inbox|incoming|unsorted|misc|various|varia|photos?|photographs?|pictures?|images?|scans?|bilder|fotos?|"
    r"jpe?gs?|tiffs?|originals?|dcim|\d{3}(canon|nikon|msdcf|apple|olymp|media|_pana)|(part|box|disc|disk|dvd|cd) ?\d+"
)
GROUP = re.compile(rf"({_YEAR}s?([-\u2013_ ]{_YEAR}|[_ ]+[^\W\d].*)?|({_GROUPS})(\W.*|_.*)?)", re.IGNORECASE)
OTHER_SIDE = re.compile(
    r"(?<![^\W\d_])(verso|back|reverse|rear|r(?:ü|ue)ckseite|dos|revers|retro|detail|d[eé]tail|signature)",
    re.IGNORECASE,
)
VIEW = re.compile(
    r"(\(?\d{1,2}\)?|[a-f]|recto|front|verso|back|reverse|rear|side|left|right|top|bottom|base|frame|unframed|"
    r"overall|r(ü|ue)ckseite|vorderseite|dos|face|revers|retro|fronte|anverso|reverso|"
    r"(detail|d[eé]tail|dettaglio|detalle|view|signature|uv|ir|xray)[ _-]?\d{0,2})",
    re.IGNORECASE,
)
SEPARATORS = ("_", "-", " ")


@dataclass(frozen=True, slots=True)
class ViewsGuess:
    """Files that look like views of one object by their names, and the pattern by which they would be."""

    pattern: str  # "" where it would tear the names of others apart
    names: tuple[str, ...]  # of one such object


def is_group(folder: str) -> bool:
    """Say whether a folder is called as one of many objects: by a year, by where they came from, or a camera's."""
    return GROUP.fullmatch(folder) is not None


def shows_another_side(path: str) -> bool:
    """Say whether a path tells that a photograph shows another side of a work, or a detail."""
    return OTHER_SIDE.search(path) is not None


def guess_views(names: Iterable[str]) -> ViewsGuess | None:
    """Return the guess that fits most of the names, files without their suffix; None where nothing speaks for one."""
    known = set(names)
    found = [(separator, _views(known, separator)) for separator in SEPARATORS]
    separator, views = max(found, key=lambda item: sum(map(len, item[1].values())))
    if not views:
        return None
    first = min(views)
    torn = any(separator in name and not VIEW.fullmatch(name.rpartition(separator)[2]) for name in known)
    shown = ([first] if first in known else []) + [f"{first}{separator}{view}" for view in views[first]]
    return ViewsGuess("" if torn else f"{{object}}{separator}{{view}}", tuple(shown))


def _views(names: set[str], separator: str) -> Mapping[str, list[str]]:
    """Return the views of each object that a separator would tell, of those that something speaks for."""
    views: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        base, _, view = name.rpartition(separator)
        if base.strip() and VIEW.fullmatch(view) and (base in names or not re.fullmatch(_YEAR, base)):
            views[base].append(view)
    return {base: found for base, found in views.items() if _is_likely(base, found, base in names, separator)}


def _is_likely(base: str, views: list[str], has_base: bool, separator: str) -> bool:
    """Say whether names are those of views: beside a name without one, or counted from 1, or telling sides."""
    told = [view for view in views if not view.strip("()").isdecimal() and len(view) > 1]
    counted = separator == "_" and len(views) > 1 and views[0].lower().strip("(0)") in ("1", "a")
    return has_base or len(told) > 1 or (bool(told) and len(views) > 1) or (counted and any(map(str.isdigit, base)))
