"""The tests of artifact."""

import retrieval  # noqa: F401 - before numpy, as the command line does
