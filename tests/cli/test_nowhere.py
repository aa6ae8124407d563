"""What is not there, or is no folder, is named at once: before torch, an encoder or a long list is loaded."""

import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.main import app


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: a catalogue, a folder, a file, and nothing that can load an encoder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalogue.db").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    for name in ("torch", "openvino"):
        monkeypatch.setitem(sys.modules, name, None)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("index NOWHERE --data new", "There is no folder {here}/NOWHERE."),
        ("index file --data new", "{here}/file is a file. Name the folder"),
        ("screen NOWHERE --data data", "There is no folder or file NOWHERE."),
        ("calibrate NOWHERE --data data", "There is no NOWHERE."),
        ("evaluate NOWHERE --data data", "There is no table NOWHERE."),
        ("train NOWHERE --out new", "There is no NOWHERE."),
        ("simulate NOWHERE --out a.png", "NOWHERE: cannot be opened: no such file"),
        ("simulate folder --out a.png", "folder: cannot be opened: is a directory"),
        ("query folder --data data", "folder is a folder. `artifact screen folder`"),
        ("query a.jpg --data NOWHERE", "No catalogue in NOWHERE."),
        ("screen folder --data NOWHERE", "No catalogue in NOWHERE."),
        ("calibrate --data NOWHERE", "No catalogue in NOWHERE."),
        ("evaluate file --data NOWHERE", "No catalogue in NOWHERE."),
        ("screen folder --data file", "file is a file. --data names the folder"),
        ("status --data file", "file is a file. --data names the folder"),
        ("check --data file", "file is a file. --data names the folder"),
    ],
)
def test_what_is_not_there_is_named_first(here: Path, arguments: str, said: str) -> None:
    before = sorted(here.rglob("*"))
    result = CliRunner().invoke(app, arguments.split())
    assert result.exit_code == 1 and result.stdout == ""
    assert result.stderr.startswith(f"artifact: {said.format(here=here)}"), result.stderr
    assert sorted(here.rglob("*")) == before


def test_a_data_folder_whose_name_is_no_text_is_refused_before_it_is_made(here: Path) -> None:
    Image.new("RGB", (300, 300)).save(here / "folder" / "a.png")
    result = CliRunner().invoke(app, ["index", "folder", "--data", "n\udcff"])
    assert (result.exit_code, result.stderr) == (
        1, "artifact: The name of the folder 'n\\udcff' is not valid text; name another.\n"
    )  # fmt: skip
    assert len(list(here.iterdir())) == 3
