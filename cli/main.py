"""The `artifact` command: the list of its commands, and one place where errors become a line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.commands import catalogue, encoders, judging, serving, stores, thresholds, verdicts
from cli.commands.exit_codes import ExitCode
from cli.commands.from_fields import as_command
from cli.output.interruption import exit_code_of, line_of, listen
from cli.output.streams import CannotPrint, fit_streams
from cli.output.terminal import wants_colour
from cli.output.unforeseen import TRACEBACK, os_error_words, refuse_little_memory, unforeseen_words
from retrieval.errors import ArtifactError
from retrieval.extras import DISTRIBUTION


class OneLineErrors(TyperGroup):
    """Turns whatever can happen to a user into one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ArtifactError as error:
            _fail(str(error))
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
            raise typer.Exit(ExitCode.FAILED) from None
        except OSError as error:
            _fail(os_error_words(error))
        except KeyboardInterrupt as stopped:
            _fail(line_of(stopped), code=exit_code_of(stopped))


def _fail(message: str, *, code: int = ExitCode.FAILED) -> None:
    _say(message)
    raise typer.Exit(code)


def _say(message: str) -> None:
    typer.echo(f"artifact: {' '.join(message.split())}", err=True)


app = typer.Typer(
    cls=OneLineErrors,
    name="artifact",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tell whether a photograph shows a catalogued work of art, and whether it diverges from the genuine exemplar.",
    epilog="Start with:  artifact demo ./demo   or   artifact index ./catalogue",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"artifact {version(DISTRIBUTION)}")
        except PackageNotFoundError:
            typer.echo("artifact, from a clone that is not installed")
        raise typer.Exit()


@app.callback()
def _main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    context.color = wants_colour()
    refuse_little_memory(with_encoder=context.invoked_subcommand in OF_ENCODERS)


OF_ENCODERS = ("index", "query", "compare", "screen", "recheck", "serve", "calibrate", "evaluate", "train")
COMMANDS: dict[str, Callable[..., None]] = {
    "index": catalogue.index,
    "query": judging.query,
    "compare": judging.compare,
    "screen": judging.screen,
    "status": catalogue.status,
    "list": catalogue.list_objects,
    "show": catalogue.show,
    "remove": catalogue.remove,
    "move": catalogue.move,
    "check": catalogue.check,
    "store": stores.store,
    "calibrate": thresholds.calibrate,
    "evaluate": thresholds.evaluate,
    "verdicts": verdicts.verdicts,
    "verdict": verdicts.verdict,
    "review": verdicts.review,
    "recheck": verdicts.recheck,
    "serve": serving.serve,
    "train": encoders.train,
    "simulate": encoders.simulate,
    "demo": catalogue.demo,
}
for name, command in COMMANDS.items():
    app.command(name=name)(as_command(command))


def main() -> None:
    """Run the command line, and leave at once: taking OpenVINO down in order costs a tenth of a second."""
    fit_streams()
    listen()
    code: Any = ExitCode.DONE
    try:
        app()
    except SystemExit as leaving:
        code = leaving.code
    except CannotPrint as error:  # of a page of help
        _say(str(error))
        code = ExitCode.FAILED
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        _say(unforeseen_words(error))
        code = ExitCode.FAILED
    with suppress(CannotPrint, BrokenPipeError):  # said already: each line is flushed as it is printed
        sys.stdout.flush()
    os._exit(code if isinstance(code, int) else ExitCode.FAILED)


if __name__ == "__main__":
    main()
