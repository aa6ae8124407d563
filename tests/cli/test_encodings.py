"""A work screened in every way that files hold pictures: each is consistent."""

import json
from itertools import islice
from pathlib import Path

import pytest
from PIL import ImageFilter
from typer.testing import CliRunner

from cli.main import app
from tests.encodings import encodings
from tests.pictures import painting, write_paintings

# Dithered or in four greys at most, the work is another picture, and is not consistent.
FEW_TONES = ("1.", "bits", "grey 2 bits", "palette 1 bits", "palette 2 bits", "palette 4 bits", "palette of 16")


@pytest.mark.slow
def test_a_genuine_work_is_consistent_in_every_encoding(tmp_path):
    write_paintings(tmp_path / "catalogue", 20)  # as many as thresholds need
    incoming, data = tmp_path / "incoming", tmp_path / "data"
    incoming.mkdir()
    work = painting(3).filter(ImageFilter.GaussianBlur(0.5))
    for encoding in islice(encodings(work), 0, None, 2):  # every other one: some minutes
        if not encoding.name.startswith(FEW_TONES):
            (incoming / encoding.name).write_bytes(encoding.data)
    runner = CliRunner()
    assert runner.invoke(app, ["index", str(tmp_path / "catalogue"), "--data", str(data)]).exit_code == 0
    screened = runner.invoke(app, ["screen", str(incoming), "--data", str(data), "--format", "jsonl"])
    found = [json.loads(line) for line in screened.stdout.splitlines()]
    assert len(found) >= 120
    wrong = {Path(one["photo"]).name: said for one in found if (said := _said(one)) != ("consistent", "03")}
    assert wrong == {}


def _said(photograph: dict) -> tuple[str, str] | str:
    """Return the outcome and the object of a photograph of one work, or why there are none."""
    if photograph["error"] or len(photograph["works"]) != 1:
        return photograph["error"] or f"{len(photograph['works'])} works"
    (work,) = photograph["works"]
    return work["outcome"], work["matches"][0]["object_id"] if work["matches"] else ""
