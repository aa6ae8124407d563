"""The command of stores of vectors."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.commands.shared_options import DATA, Data


class Action(StrEnum):
    """What is done with stores."""

    COPY = "copy"


def store(
    action: Annotated[Action, typer.Argument(help="What to do.")],
    source: Annotated[str, typer.Argument(metavar="FROM", help="files, or milvus://HOST:PORT/COLLECTION.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="files, or milvus://HOST:PORT/COLLECTION.")],
    data: Data = DATA,
) -> None:
    """Copy the vectors of a catalogue into a Milvus server, out of one, or from one to another, and compare them.

    `files` stands for the catalogue's own database, into which come the vectors that its photographs lack. What is
    searched does not change: that is `artifact index FOLDER --store`.

    \b
    Examples:
      artifact store copy files milvus://10.0.0.7:19530/museum
      artifact store copy milvus://10.0.0.7:19530/museum files
      artifact store copy milvus://10.0.0.7/museum milvus+tls://vectors/museum
    """
    from cli.runs.stores import run_copy

    run_copy(source, target, data)
