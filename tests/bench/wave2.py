"""The sources of photographs that other people took, and of changes that other people made, as cases to be compared."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import shared_data
from tests.bench.divergence import Case

GENUINE = ("gallery-video", "phone-paintings", "phone-dvd-covers", "phone-book-covers", "card-editions")
CHANGED = ("spot-the-difference", "restoration", "card-editions", "phone-book-covers")
KEPT_OUT = "phone-book-covers"  # of all training and every choice


@dataclass(frozen=True, slots=True)
class Labelled:
    """A photograph with what it shows: the same thing photographed again, or another version of the thing."""

    case: Case
    genuine: bool
    mask: Path | None  # where it was changed, on the photograph


def labelled(source: str) -> Iterator[Labelled]:
    """Yield the pairs of a source; a photograph of what has no reference is left out."""
    folder = shared_data("wave2") / source
    references = {path.stem: path for path in (folder / "reference").iterdir()}
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["object_id"] in references:
                mask = folder / row["mask"] if row["mask"] else None
                case = Case(source, row["object_id"], references[row["object_id"]], folder / "photos" / row["photo"])
                yield Labelled(case, row["label"] == "1", mask)


def genuine_cases(source: str) -> list[Case]:
    """Return the genuine photographs of a source."""
    return [item.case for item in labelled(source) if item.genuine]


def changed_cases(source: str) -> list[Case]:
    """Return the photographs of other versions."""
    return [item.case for item in labelled(source) if not item.genuine]
