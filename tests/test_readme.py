"""The documentation is tested: the session in it is run, and what it shows and names is what there is."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cli.commands.exit_codes import ExitCode
from cli.main import app

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
CARD = ROOT / "retrieval/encoder/default_encoder/README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, *DOCS, CARD]
COMMANDS = get_command(app).commands
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^    .*$", re.MULTILINE)
SESSION = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def linked(page: Path) -> list[tuple[Path, str]]:
    """Return (file, anchor) of every link of a page to a file of the project, in order."""
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", read(page))
    return [((page.parent / file).resolve() if file else page, anchor) for file, anchor in links]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: its headings in lower case, without punctuation, a hyphen for each space."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def reading_order() -> list[Path]:
    """Return the README and the pages of docs/ in the order in which the README sends its readers through them."""
    start = read(README).index("## Where to read on")
    names = re.findall(r"\]\(docs/([^)#]+)\)", read(README)[start:])
    return [README, *(ROOT / "docs" / name for name in names)]


def steps() -> list[tuple[str, str]]:
    """Return every (command, output shown) of the console blocks: those of all pages are one session."""
    found = []
    for page in reading_order():
        for block in SESSION.findall(read(page)):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((command, output))
    return found


def shape(text: str) -> list[str]:
    """Return the lines with dates and measured numbers masked: distances may differ in the last digit shown.

    So may the count of a condition, where a photograph lies at its border.
    """
    masked = re.sub(r"\d+\.\d+", "N", re.sub(r"\d{4}-\d\d-\d\d", "DATE", text))
    masked = re.sub(r"\b(small|surrounded|close) \(\d+\)", r"\1 (N)", masked)
    return [re.sub(r"\s+", " ", line).strip() for line in masked.splitlines() if line.strip(" ─")]


def code(page: Path) -> list[str]:
    """Return what a page shows as code, a string a line of a block or a span of a sentence."""
    text = read(page)
    fenced = "".join(FENCED.findall(text)).replace("\\\n", " ").splitlines()
    rest = FENCED.sub("", text)
    spans = re.findall(r"`([^`]+)`", INDENTED.sub("", rest))
    return [" ".join(part.split()) for part in fenced + INDENTED.findall(rest) + spans]


def commands(page: Path) -> list[tuple[str, list[str]]]:
    """Return (name, options) of every command of the program that a page shows."""
    shown = [re.findall(r"\bartifact ([a-z]+)\b([^#|]*)", part) for part in code(page)]
    return [(name, re.findall(r"(?<![\w-])--?[a-z][a-z-]*", rest)) for part in shown for name, rest in part]


def options(name: str) -> set[str]:
    """Return the options of a command."""
    return {option for parameter in COMMANDS[name].params for option in parameter.opts + parameter.secondary_opts}


@pytest.mark.slow
def test_the_session_in_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(steps()) >= 11
    for command, output in steps():
        name, *arguments = shlex.split(command)
        assert name == "artifact"
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert shape(result.output) == shape(output), command


@each_page
def test_what_a_page_names_exists(page: Path) -> None:
    text = read(page)
    for bench in re.findall(r"python -m tests\.bench\.(\w+)", text):
        assert (ROOT / "tests" / "bench" / f"{bench}.py").is_file(), bench
    for module in re.findall(r"`((?:cli|indexer|retrieval|tests|docs)/[\w/.-]+)`", text):
        assert (ROOT / module).exists(), module
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ([a-z]+)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    train = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(re.findall(r"artifact train [^`]*", text))))
    assert train <= options("train") | {"--help"}


@each_page
def test_a_link_leads_to_a_file_of_the_project_and_to_a_heading_in_it(page: Path) -> None:
    for file, anchor in linked(page):
        assert file.is_relative_to(ROOT) and file.is_file(), file
        assert not anchor or anchor in anchors(file), f"{file.name}#{anchor}"


def test_the_readme_leads_to_every_page_once() -> None:
    assert sorted(reading_order()) == sorted([README, *DOCS])


@each_page
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    for name, named in commands(page):
        assert name in COMMANDS and set(named) <= options(name) | {"--help"}, (name, named)
    alone = {part.split()[0] for part in code(page) if part.startswith("--")}
    assert alone <= set().union({"--help"}, *map(options, COMMANDS)), alone


def test_every_command_is_named_on_some_page() -> None:
    named = [name for page in [README, *DOCS] for name, _ in commands(page)]
    assert set(named) == set(COMMANDS)
    assert {name for name, _ in commands(README)} >= {"demo", "index", "query", "compare", "screen", "calibrate"}


def test_the_documentation_shows_every_key_of_the_json_shape() -> None:
    from tests.cli.test_main import DIVERGENCE_KEYS, MATCH_KEYS, RECORD_KEYS, WORK_KEYS

    (shown,) = re.findall(r"^```json\n(.*?)^```", read(ROOT / "docs/json.md"), re.MULTILINE | re.DOTALL)
    record = json.loads(shown)
    (work,) = record["works"]
    (match,) = work["matches"]
    assert set(record) == RECORD_KEYS and set(work) == WORK_KEYS
    assert set(match) == MATCH_KEYS and set(match["divergence"]) == DIVERGENCE_KEYS


def test_the_documentation_shows_every_column_of_a_csv_file_in_its_order() -> None:
    from tests.cli.test_main import CSV_HEADER

    rows = re.findall(r"^\| (`.*?) \|", read(ROOT / "docs/json.md"), re.MULTILINE)
    assert re.findall(r"`(\w+)`", "\n".join(rows)) == CSV_HEADER


def test_the_documentation_shows_every_exit_code() -> None:
    rows = re.findall(r"^\| (\d+) \|", read(ROOT / "docs/exit-codes.md"), re.MULTILINE)
    assert [int(row) for row in rows] == sorted([*ExitCode, 2])
