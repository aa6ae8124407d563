"""Commands whose options are the fields of a dataclass: what is given, what is left out, what is refused."""

from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from cli.commands.from_fields import as_command
from cli.runs.indexing_options import IndexingOptions
from cli.runs.judging_options import JudgingOptions
from indexer.inputs.option import Option
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS


@dataclass(frozen=True, kw_only=True)
class Inner:
    """What stands within a request."""

    names: Annotated[tuple[str, ...], Option("Names.", ("--name",), choices=("a", "b"))] = ("a", "b")
    seed: Annotated[int, Option("Seed.", low=0, last=True)] = 0


@dataclass(frozen=True, kw_only=True)
class Outer:
    """A request."""

    source: Annotated[str, Option("Source.", metavar="SOURCE", positional=True)]
    inner: Inner = field(default_factory=Inner)
    few: Annotated[int | None, Option("Few.")] = None
    real: Annotated[bool, Option("Real.", ("--real/--unreal",))] = True


asked: list[Outer] = []
app = typer.Typer(rich_markup_mode=None)


@app.command()
@as_command
def command(request: Outer) -> None:
    """Do what the request says."""
    asked.append(request)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("here", Outer(source="here")),
        ("here --few 0 --unreal --seed 3", Outer(source="here", few=0, real=False, inner=Inner(seed=3))),
        ("--name b here", Outer(source="here", inner=Inner(names=("b",)))),
    ],
)
def test_what_is_given_comes_as_the_dataclass(line, wanted):
    asked.clear()
    assert CliRunner().invoke(app, line).exit_code == 0
    assert asked == [wanted] and all(type(name) is str for name in asked[0].inner.names)


@pytest.mark.parametrize("line", ["", "here --name c", "here --seed -1", "here --few none"])
def test_what_the_fields_do_not_allow_is_refused(line):
    assert CliRunner().invoke(app, line).exit_code == 2


def test_help_lists_the_fields_in_order_and_the_last_ones_last():
    said = CliRunner().invoke(app, "--help").output
    places = [said.index(word) for word in ("SOURCE", "Do what", "--name", "--few", "--real / --unreal", "--seed")]
    assert places == sorted(places) and "default: 0" in said and "default: a" not in said


def test_a_dataclass_stands_among_other_parameters_which_may_say_themselves_how_they_are_asked_for():
    taken = []

    def run(
        count: int,
        pick: Annotated[str | None, Option("Pick.", choices=("c-d", "e"))] = None,
        loud: Annotated[bool, typer.Option("--loud")] = False,
        *,
        inner: Inner,
    ) -> None:
        taken.append((count, pick, loud, inner))

    mixed = typer.Typer(rich_markup_mode=None)
    mixed.command()(as_command(run))
    assert CliRunner().invoke(mixed, "3").exit_code == 0
    assert CliRunner().invoke(mixed, "3 --pick c-d --loud --name a --seed 7").exit_code == 0
    assert taken == [(3, None, False, Inner()), (3, "c-d", True, Inner(names=("a",), seed=7))]
    assert CliRunner().invoke(mixed, "3 --pick d").exit_code == 2


@pytest.mark.parametrize("kind", [JudgingOptions, IndexingOptions])
def test_photographs_may_be_as_large_by_default_as_everywhere_else(kind):
    assert kind().max_megapixels == DEFAULT_MAX_MEGAPIXELS
