"""Where the command begins: nothing that takes time is imported before Ctrl-C is answered in a line."""

import os
import sys


def main() -> None:
    """Run the command line."""
    try:
        from cli.main import main as run

        run()
    except KeyboardInterrupt:
        print("artifact: interrupted; nothing was begun", file=sys.stderr)
        os._exit(130)
