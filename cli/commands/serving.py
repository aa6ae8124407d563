"""The command that opens the desk in a browser."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.shared_options import DATA, Data
from cli.runs.judging_options import LookingOptions


def serve(
    host: Annotated[
        str, typer.Option("--host", help="By default only this machine reaches the desk; others need tokens.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Where it listens.")] = 8765,
    data: Data = DATA,
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="URL", help="Where people reach it, if a proxy stands before it."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Who may come in: `reviewer TOKEN NAME`, `viewer TOKEN`."),
    ] = None,
    allow: Annotated[
        list[Path] | None,
        typer.Option("--allow", metavar="DIR", help="A folder whose photographs may be screened; may be given again."),
    ] = None,
    max_upload: Annotated[
        float, typer.Option("--max-upload", min=0.1, metavar="MB", help="The most that is taken at once.")
    ] = 200.0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser.")] = True,
    *,
    judging: LookingOptions,
) -> None:
    """Open the desk in the browser: bring photographs, compare, review, browse the catalogue, screen.

    Needs the extra `serve`. Nothing leaves this machine. Verdicts and decisions are those of the command line, in the
    same database; photographs that are brought are not kept unless asked.

    \b
    Examples:
      artifact serve
      artifact serve --data demo/index_data --allow ./incoming
      artifact serve --host 0.0.0.0 --token-file tokens.txt
      artifact serve --token-file tokens.txt --address https://desk.example/a
    """
    from cli.serve.run import run_serve
    from cli.serve.settings import Settings, checked_address, checked_folders, read_tokens

    settings = Settings(
        data=data,
        host=host,
        port=port,
        judging=judging,
        address=checked_address(address),
        tokens=read_tokens(token_file) if token_file else (),
        allowed=checked_folders(allow or ()),
        most_bytes=round(max_upload * 1e6),
    )
    run_serve(settings, opened=browser)
