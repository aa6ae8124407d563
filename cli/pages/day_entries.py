"""Write one work of a screening as an entry of the report: pictures, alert, object, distance, reasons and lot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from cli.output.text import escaped
from cli.pages.parts import badge, bar, signed
from cli.pictures.thumbnails import LARGE, SMALL, Reference, Thumbnail, thumbnail
from cli.records.artifact_1 import Record
from cli.records.lines import LOT_COLUMNS, seen_words
from cli.records.triage import ALERTS, Priority, claimed, deciding
from retrieval.outcome import OF_AN_OBJECT, UNREADABLE, Outcome

COMPACT = (Priority.CONSISTENT, Priority.NO_MATCH)
PICTURED = 3000  # entries with pictures; a browser opens no more
PROVISIONAL = "provisional"  # begins a reason
ALERT_WORDS = {
    Priority.STOLEN: "This is consistent with an object that is registered as stolen.",
    Priority.MISSING: "This is consistent with an object that is registered as missing.",
    Priority.KNOWN_FORGERY: "This is consistent with a known forgery.",
}


@dataclass
class Entries:
    """Draws the entries of one page; `evidence` names the evidence page of a work, relative to this one, if any."""

    folder: Path
    reference: Reference
    remarks: tuple[str, ...]  # reasons that stand above all, not in every entry
    evidence: Callable[[Record, int], str | None]
    _drawn: int = field(default=0, init=False)

    def opening(self, found: Record, index: int | None, rank: Priority) -> str:
        """Return an entry but for its end, so that identical files can follow in it."""
        work = None if index is None else found["works"][index]
        self._drawn += 1
        compact = rank in COMPACT or work is None
        pictures = self._pictures(found, work, rank) if self._drawn <= PICTURED and work else ""
        kind = " ".join(["compact"] * compact + ["bare"] * (not pictures))
        return (
            f'<article class="{kind}"{_filters(found)}>\n'
            + (_alert(work, claimed(found, work)) if work and rank in ALERTS else "")
            + (f'<div class="pictures">\n{pictures}</div>\n' if pictures else "")
            + f'<div class="said">\n{self._title(found, index)}'
            + _claim(found, None if compact else work)
            + (
                self._judgement(work, rank)
                if work
                else f'<ul class="reasons"><li>{escaped(found["error"])}</li></ul>\n'
            )
            + _lot(found)
            + _seen(found)
        )

    def identical(self, found: Record, index: int | None) -> str:
        """Return the line of a file that is identical to that of the entry."""
        lot = " · ".join([*_lot_parts(found), *_numbers(found, index)])
        return (
            f"<li{_filters(found)}>the same file: <bdi>{self._name(found['photo'])}</bdi>{lot and f' · {lot}'}</li>\n"
        )

    def _name(self, photo: str) -> str:
        path = Path(photo)
        return escaped(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)

    def _title(self, found: Record, index: int | None) -> str:
        """Return the outcome, the photograph, and where to find more of it."""
        outcome = UNREADABLE if index is None else found["works"][index]["outcome"]
        several = index is not None and len(found["works"]) > 1
        page = None if index is None else self.evidence(found, index)
        more = [f"work {index + 1} of {len(found['works'])}"] if several and index is not None else []
        more += _numbers(found, index)
        more += [f"the same file as <bdi>{self._name(found['same_as'])}</bdi>"] if found.get("same_as") else []
        more += [f'<a href="{escaped(quote(page, errors="surrogateescape"))}">evidence</a>'] if page else []
        small = f" <small>{' · '.join(more)}</small>" if more else ""
        return f"<h3>{badge(outcome)} <bdi>{self._name(found['photo'])}</bdi>{small}</h3>\n"

    def _pictures(self, found: Record, work: Record, rank: Priority) -> str:
        """Return the probe, and what it was compared with; of an unknown work the probe alone, small."""
        side = SMALL if rank in COMPACT else LARGE
        region = tuple(work["region"])
        probe = _figure(thumbnail(found["photo"], found["sha256"], region, side=side), "probe")
        if rank is Priority.NO_MATCH or not work["matches"]:
            return probe
        best = work["matches"][0]
        near = "exemplar" if work["outcome"] in OF_AN_OBJECT else "nearest"
        if work["outcome"] == Outcome.NO_MATCH:
            near = "nearest, not a match"
        compared = claimed(found, work)
        beside = {
            "claimed": compared and compared["matches"] and compared["matches"][0],
            near: best,
            "known forgery": work.get("forgery"),
        }
        shown: dict[tuple[str, str], str] = {}
        for what, other in beside.items():
            if other:
                shown.setdefault((other["object_id"], other["exemplar"]), what)
        return probe + "".join(
            _figure(
                self.reference.thumbnail(object_id, exemplar, side),
                f"{what}: <bdi>{escaped(Path(exemplar).name)}</bdi>",
                "aside" if what == "nearest, not a match" else "",
            )
            for (object_id, exemplar), what in shown.items()
        )

    def _judgement(self, work: Record, rank: Priority) -> str:
        """Return the object, the distance, the reasons but the ones that stand above all, and what else is near."""
        reasons = "".join(f"<li>{escaped(reason)}</li>" for reason in work["reasons"] if reason not in self.remarks)
        listed = f'<ul class="reasons">{reasons}</ul>\n' if reasons else ""
        if not work["matches"]:
            return listed
        best, *others = work["matches"]
        name, judged = deciding(best)
        if rank is Priority.NO_MATCH:
            return f'<p class="object">nearest: <bdi>{escaped(best["object_id"])}</bdi> {_against_match(best)}</p>\n'
        said = any(reason.startswith(PROVISIONAL) for reason in work["reasons"] if reason in self.remarks)
        provisional = ' <span class="soft">(thresholds are provisional)</span>' if said else ""
        near = "".join(
            f"<li><bdi>{escaped(other['object_id'])}</bdi> {other['distance']:.3f}</li>\n" for other in others
        )
        rest = listed + (f'<ul class="next"><li>next nearest</li>\n{near}</ul>\n' if near else "")
        return (
            self._object(work, best)
            + f'<p class="distance">{name} <b>{judged["distance"]:.3f}</b>{provisional}</p>\n{bar(judged)}'
            + _forgery(work)
            + ("" if rank in COMPACT else rest)
        )

    def _object(self, work: Record, best: Record) -> str:
        nearest = "" if work["outcome"] in OF_AN_OBJECT else "nearest: "
        status = f' <span class="status">{escaped(work["status"])}</span>' if work.get("status") else ""
        return (
            f'<p class="object">{nearest}<b><bdi>{escaped(best["object_id"])}</bdi></b> '
            f"<bdi>{escaped(self.reference.name(best['object_id']))}</bdi>{status}</p>\n"
        )


def _figure(shown: Thumbnail, caption: str, kind: str = "") -> str:
    """Return a picture, or a grey field with the reason why there is none; the caption is HTML."""
    image = f'<img src="{shown.uri}" width="{shown.size[0]}" height="{shown.size[1]}" alt="">'
    picture = f'<div class="missing">{escaped(shown.problem)}</div>' if shown.problem else image
    return f'<figure class="{kind}">{picture}<figcaption>{caption}</figcaption></figure>\n'


def _alert(work: Record, compared: Record | None) -> str:
    """Return each alert of a work, and of what it was claimed to be, in words that cannot be overlooked."""
    alerts = {Priority(judged["alert"]) for judged in (work, compared) if judged and judged.get("alert")}
    return "".join(
        f'<p class="alert" data-rank="{alert.slug}"><strong>{signed(alert)}</strong> {ALERT_WORDS[alert]}</p>\n'
        for alert in sorted(alerts, key=lambda alert: alert.rank)
    )


def _against_match(best: Record) -> str:
    limit = best["match_threshold"]
    return f"{best['distance']:.3f}" + ("" if limit is None else f", beyond the match threshold {limit:.3f}")


def _forgery(work: Record) -> str:
    """Return how far a work lies from a known forgery, beside how far it lies from the genuine exemplar."""
    known = work.get("forgery")
    if not known:
        return ""
    best = work["matches"][0]
    genuine = {"distance": best["distance"], "combined": (best.get("divergence") or {}).get("combined")}
    return (
        f'<p class="forgery">to the known forgery <b><bdi>{escaped(known["object_id"])}</bdi></b>: {_both(known)}; '
        f"to <b><bdi>{escaped(best['object_id'])}</bdi></b>: {_both(genuine)}</p>\n"
    )


def _both(compared: Record) -> str:
    combined = compared["combined"]
    return f"distance {compared['distance']:.3f}" + ("" if combined is None else f", combined {combined:.3f}")


def _claim(found: Record, below: Record | None) -> str:
    """Return what the lot is said to be, and what became of it; of the work `below`, what is said there is not."""
    claim = found.get("claim")
    if not claim:
        return ""
    said = f'<p class="claim">claimed to be <b><bdi>{escaped(claim["claimed"])}</bdi></b>: '
    work = claim["work"]
    if not work:
        return f"{said}not verified, {escaped(claim['reason'] or 'no reason is known')}</p>\n"
    held = work["outcome"] == Outcome.CONSISTENT
    said += f"<b>{'upheld' if held else 'not upheld'}</b>"
    if below and (work["matches"][:1], work["reasons"]) == (below["matches"][:1], below["reasons"]):
        return f"{said}</p>\n"
    reason = "".join(f" {escaped(reason)}" for reason in work["reasons"][:1])
    drawn = bar(deciding(work["matches"][0])[1]) if work["matches"] and not held else ""
    return f"{said}, {badge(work['outcome'])}{reason}</p>\n{drawn}"


def _lot(found: Record) -> str:
    parts = _lot_parts(found)
    return f'<p class="lot">{" · ".join(parts)}</p>\n' if parts else ""


def _lot_parts(found: Record) -> list[str]:
    """Return the columns of a lot that say something, those that are usual first."""
    lot = found.get("lot") or {}
    names = [*(name for name in LOT_COLUMNS if name in lot), *(name for name in lot if name not in LOT_COLUMNS)]
    return [
        f"{escaped(name)} {_address(lot[name]) if name == 'url' else f'<b><bdi>{escaped(lot[name])}</bdi></b>'}"
        for name in names
        if str(lot[name] or "").strip() and not (name == "claim" and found.get("claim"))
    ]


def _address(url: str) -> str:
    """Return an address as text, and as a link only where it leads to the web."""
    try:
        safe = urlsplit(url).scheme in ("http", "https") and url.isprintable() and " " not in url
    except ValueError:
        safe = False
    said = f"<bdi>{escaped(url)}</bdi>"
    return f'<a href="{escaped(url)}" rel="noreferrer">{said}</a>' if safe else said


def _seen(found: Record) -> str:
    said = "".join(f"<li>seen before, {escaped(seen_words(seen))}</li>\n" for seen in found.get("seen_before") or ())
    return f'<ul class="seen">{said}</ul>\n' if said else ""


def _numbers(found: Record, index: int | None) -> Iterator[str]:
    """Yield the number of the verdict, where it was recorded."""
    numbers = found.get("verdicts") or []
    if (index or 0) < len(numbers):
        yield f"verdict {numbers[index or 0]}"


def _filters(found: Record) -> str:
    """Return the attributes by which the page is filtered."""
    lot = found.get("lot") or {}
    return "".join(f' data-{name}="{escaped(lot[name])}"' for name in ("sale", "house") if lot.get(name))
