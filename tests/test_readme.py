"""The documentation is tested: the session in the README is run, and what it shows is what comes out."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cli.main import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "retrieval/encoder/default_encoder/README.md",
]
SESSION = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[str, str]]:
    """Return every (command, output shown) of the console blocks, in order."""
    found = []
    for block in SESSION.findall(README):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def shape(text: str) -> list[str]:
    """Return the lines with dates and measured numbers masked: distances may differ in the last digit shown."""
    masked = re.sub(r"\d+\.\d+", "N", re.sub(r"\d{4}-\d\d-\d\d", "DATE", text))
    return [re.sub(r"\s+", " ", line).strip() for line in masked.splitlines() if line.strip(" ─")]


@pytest.mark.slow
def test_the_session_in_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(steps()) >= 4
    for command, output in steps():
        name, *arguments = shlex.split(command)
        assert name == "artifact"
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert shape(result.output) == shape(output), command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (page.parent / link).is_file(), link
    for bench in re.findall(r"python -m tests\.bench\.(\w+)", text):
        assert (ROOT / "tests" / "bench" / f"{bench}.py").is_file(), bench
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ([a-z]+)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(re.findall(r"artifact train [^`]*", text))))
    parameters = get_command(app).commands["train"].params
    known = {name for parameter in parameters for name in parameter.opts + parameter.secondary_opts}
    assert options <= known | {"--help"}


def test_every_command_named_in_the_readme_exists() -> None:
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    named = set(re.findall(r"\bartifact ([a-z]+)", "\n".join(re.findall(r"`[^`]+`|^    .*$", README, re.MULTILINE))))
    assert named and named <= commands


def test_the_readme_shows_every_key_of_the_json_shape() -> None:
    from tests.test_cli import MATCH_KEYS, RECORD_KEYS, WORK_KEYS

    for key in RECORD_KEYS | WORK_KEYS | MATCH_KEYS:
        assert f'"{key}"' in README
