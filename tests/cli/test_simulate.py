"""`artifact simulate` writes whole sheets and single pictures, the same ones for a seed, and says what is wrong."""

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cli.main import app
from cli.pictures.strips import WIDTH
from indexer.simulation.copies import KINDS
from tests.pictures import painting

runner = CliRunner()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("photo") / "reader.png"
    painting(1, (240, 180)).save(file)
    return file


def simulate(*arguments: object) -> Result:
    return runner.invoke(app, ["simulate", *map(str, arguments)])


def said(result: Result) -> str:
    """Return the one line on stderr of a run that failed."""
    assert result.exit_code == 1 and result.stderr.count("\n") == 1, result.output
    return result.stderr


def test_a_sheet_shows_everything_and_repeats(photo: Path, tmp_path: Path) -> None:
    sheets = []
    for name, seed in (("one.png", 3), ("two.png", 3), ("three.png", 4)):
        options = ("--seed", seed, "--kinds", "strokes,palette")
        assert simulate(photo, "--out", tmp_path / name, *options).exit_code == 0
        sheets.append((tmp_path / name).read_bytes())
    assert sheets[0] == sheets[1] != sheets[2]
    with Image.open(tmp_path / "one.png") as sheet:
        assert sheet.width == WIDTH and sheet.height > 1500
    assert {file.name for file in tmp_path.iterdir()} == {"one.png", "two.png", "three.png"}


def test_a_folder_holds_each_picture_under_its_kind_and_seed(photo: Path, tmp_path: Path) -> None:
    result = simulate(photo, "--folder", tmp_path / "new" / "all", "--seed", 5, "--face", "0.3,0.2,0.3,0.4")
    assert result.exit_code == 0, result.output
    names = {file.name for file in (tmp_path / "new" / "all").iterdir()}
    for kind in KINDS:
        assert {f"reader-{kind}-5.png", f"reader-{kind}-5-photographed-again.png"} <= names
    assert {f"reader-ordinary-{seed}.png" for seed in range(5, 9)} <= names
    assert {f"reader-difficult-{seed}.png" for seed in range(5, 13)} <= names
    assert len(names) == 12 + 2 * len(KINDS)
    for name in names:
        with Image.open(tmp_path / "new" / "all" / name) as image:
            image.load()


def test_the_donor_gives_what_is_inserted(photo: Path, tmp_path: Path) -> None:
    donor = tmp_path / "donor.png"
    painting(7, (240, 180)).save(donor)
    for folder, more in (("own", ()), ("other", ("--donor", donor))):
        assert simulate(photo, "--folder", tmp_path / folder, "--kinds", "inserted,removed", *more).exit_code == 0
    made = {(f, k): (tmp_path / f / f"reader-{k}-0.png") for f in ("own", "other") for k in ("inserted", "removed")}
    assert made["own", "inserted"].read_bytes() != made["other", "inserted"].read_bytes()
    assert made["own", "removed"].read_bytes() == made["other", "removed"].read_bytes()


def test_without_a_face_no_other_face_is_made(photo: Path, tmp_path: Path) -> None:
    assert simulate(photo, "--folder", tmp_path, "--kinds", "face,palette").exit_code == 0
    assert (tmp_path / "reader-palette-0.png").exists()
    assert not list(tmp_path.glob("reader-face-*"))


def test_a_plain_picture_of_which_nothing_can_be_copied_still_gives_a_sheet(tmp_path: Path) -> None:
    Image.new("RGB", (120, 90), (120, 110, 90)).save(tmp_path / "plain.png")
    result = simulate(tmp_path / "plain.png", "--out", tmp_path / "sheet.png", "--kinds", "removed,repainted")
    assert result.exit_code == 0 and (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "give --out SHEET.png, --folder DIR"),
        (("--kinds", "strokes,stroke"), "'stroke'; choose from inserted, removed"),
        (("--kinds", ""), "choose from"),
        (("--face", "0.5,0.5,0.6,0.1"), "X,Y,WIDTH,HEIGHT"),
        (("--face", "nose"), "X,Y,WIDTH,HEIGHT"),
        (("--face", "nan,0,0.1,0.1"), "X,Y,WIDTH,HEIGHT"),
        (("--donor", "missing.png"), "missing.png: cannot be opened"),
        (("--max-megapixels", "0.01"), "raise --max-megapixels"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(
    photo: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    out = () if not options else ("--out", tmp_path / "sheet.png")
    assert words in said(simulate(photo, *out, *options))
    assert not list(tmp_path.iterdir())


def test_the_photograph_is_never_written_over(photo: Path, tmp_path: Path) -> None:
    before = photo.read_bytes()
    assert "one of the photographs" in said(simulate(photo, "--out", photo))
    assert "there is no folder" in said(simulate(photo, "--out", tmp_path / "none" / "sheet.png"))
    (tmp_path / "file").write_text("mine")
    said(simulate(photo, "--folder", tmp_path / "file"))
    assert photo.read_bytes() == before and (tmp_path / "file").read_text() == "mine"


def test_what_is_no_photograph_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    assert "notes.txt: not a photograph" in said(simulate(tmp_path / "notes.txt", "--out", tmp_path / "sheet.png"))
