"""Print the record of one photograph for a person."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from cli.output.terminal import alarming, echo_wrapped, print_table, styled
from cli.output.text import plain
from cli.records.alert_words import alert_lines
from cli.records.artifact_1 import MatchRecord, PhotographRecord, TogetherRecord, name_of
from cli.records.client_words import client_words
from cli.records.review_words import earlier_review
from cli.records.triage import deciding

COLUMNS = {
    "rank": "right",
    "object": "left",
    "title": "left",
    "distance": "left",
    "outcome": "left",
}


def print_photograph(record: PhotographRecord, titles: Mapping[str, str]) -> None:
    """Print each work with its outcome, the reasons, and a table of what is near; `titles` go by object id.

    Alerts come first, in red; an outcome below one has no colour of its own.
    """
    for line in alert_lines(record):
        typer.echo(alarming(line))
    for work in record["works"]:
        typer.echo(f"{plain(name_of(record))}{_of(record)}: " + styled(work["outcome"], colour=not work["alert"]))
        echo_wrapped(client_words(record, work).what)
        for reason in work["reasons"]:
            echo_wrapped(reason)
        if review := work["review"]:
            echo_wrapped(earlier_review(review))
        print_table(COLUMNS, [_row(match, titles, work["outcome"]) for match in work["matches"]])


def print_together(said: TogetherRecord) -> None:
    """Print what is said of several photographs together."""
    typer.echo(
        f"{len(said['photos'])} photographs of {plain(said['object_id'])}: " + styled(said["outcome"], colour=True)
    )
    for reason in said["reasons"]:
        echo_wrapped(reason)
    if said["verdict"] is not None:
        typer.echo(f"recorded as verdict {said['verdict']}", err=True)


def _of(record: PhotographRecord) -> str:
    picture = record["picture"]
    return f" (picture {picture['number']} of {picture['of']})" if picture else ""


def _row(match: MatchRecord, titles: Mapping[str, str], outcome: str) -> tuple[str, ...]:
    name, judged = deciding(match)
    return (
        str(match["rank"]),
        match["object_id"],
        titles.get(match["object_id"], ""),
        f"{name} {judged['distance']:.3f}",
        outcome if match["rank"] == 1 else "",
    )
