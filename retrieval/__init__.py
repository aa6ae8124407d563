"""Answer probes: photographs, encoder, catalogue, finding, comparing, judging, and the verdicts that are kept."""

import os

# Before numpy is imported: photographs are what goes side by side, and the threads of its BLAS would spin between them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
