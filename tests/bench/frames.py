"""Which works are found on frames of visitors' videos: small, bent and blurred, beside works of two other museums."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.bench import report, shared_data
from tests.bench.museum import artifact
from tests.bench.staging import fresh
from tests.bench.wave2 import genuine_cases
from tests.bench.works import COLUMNS, asked_of, errors_of, row_of, screened

VIDEO, BESIDE = "gallery-video", "phone-paintings"


def hang_catalogue(folder: Path) -> None:
    """Lay the references of the videos' works, and works of two other museums, into one folder."""
    folder.mkdir()
    museum = {f"museum-{path.name}": path for path in (shared_data("museum") / "catalogue").glob("*.jpg")}
    others = {
        f"{source}-{path.name}": path
        for source in (VIDEO, BESIDE)
        for path in (shared_data("wave2") / source / "reference").iterdir()
    }
    for name, path in (museum | others).items():
        (folder / name).symlink_to(path.resolve())


def main() -> None:
    """Print precision and recall of (frame, object) pairs, and every error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a catalogue to a copy of which these works are added")
    options = parser.parse_args()
    truth: dict[str, set[str]] = {}
    for case in genuine_cases(VIDEO):
        truth.setdefault(case.probe.name, set()).add(f"{VIDEO}-{case.exemplar.stem}")
    with tempfile.TemporaryDirectory() as name:
        data = Path(name, "data")
        if options.data is not None:
            fresh(options.data, data)
        hang_catalogue(Path(name, "catalogue"))
        artifact("index", str(Path(name, "catalogue")), "--data", str(data))
        records = screened(shared_data("wave2") / VIDEO / "photos", data)
    pairs = [pair for record in records for pair in asked_of(record, truth.get(Path(record["photo"]).name, ()))]
    groups = {photo: min(works) for photo, works in truth.items()}
    groups |= {pair.photo: pair.photo for pair in pairs if pair.photo not in groups}
    for line in errors_of(records, pairs):
        print(line)
    row = row_of("frames of visitors' videos", pairs, groups, len(records))
    report(
        "frames",
        COLUMNS,
        [row],
        command=f"python -m tests.bench.frames{f' --data {options.data}' if options.data else ''}",
    )


if __name__ == "__main__":
    main()
