"""The desk in the browser: what the command line does, on the same database, for people who look."""
