"""The `artifact` command line: thin commands, tables, JSON and HTML reports."""
