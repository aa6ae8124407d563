"""What is said of the installation is what pyproject.toml offers."""

import re
import tomllib
from pathlib import Path

from retrieval.extras import DISTRIBUTION, how_to_install

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = [path for package in ("retrieval", "indexer", "cli") for path in (ROOT / package).rglob("*.py")]


def test_the_name_is_that_of_the_project_and_the_command_is_artifact():
    assert PROJECT["name"] == DISTRIBUTION != "artifact"
    assert list(PROJECT["scripts"]) == ["artifact"]


def test_a_hint_says_what_works_from_a_wheel_and_from_a_clone():
    assert how_to_install("train") == (
        "`pip install 'artifact-verdict[train]'`, or `pip install -e '.[train]'` in a clone"
    )


def test_every_extra_that_is_hinted_at_is_there():
    asked = {
        extra
        for path in SOURCES
        for extra in re.findall(r"how_to_install\([\"'](\w+)", path.read_text(encoding="utf-8"))
    }
    assert "train" in asked and asked <= set(PROJECT["optional-dependencies"])


def test_nothing_tells_users_to_install_the_project_of_a_stranger():
    pages = [ROOT / "README.md", ROOT / "Makefile", *(ROOT / "docs").glob("*.md"), *SOURCES]
    assert not [path for path in pages if re.search(r"\bartifact\[|install '?artifact\b(?!-)", path.read_text("utf-8"))]
