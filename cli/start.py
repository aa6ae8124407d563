"""Where the command begins: nothing that takes time is imported before Ctrl-C is answered in a line."""

import os
import sys


def main() -> None:
    """Run the command line."""
    try:
        from cli.main import main as run

        run()
    except (KeyboardInterrupt, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not isinstance(error.__cause__, KeyboardInterrupt):
            raise  # Python makes one of what comes while a class is made
        from cli.commands.exit_codes import ExitCode

        if sys.stderr is not None:  # it may be closed
            print("artifact: interrupted; nothing was begun", file=sys.stderr)
        os._exit(ExitCode.INTERRUPTED)
