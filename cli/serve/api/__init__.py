"""The desk for programs: JSON in the shape of the command line, under /api."""
