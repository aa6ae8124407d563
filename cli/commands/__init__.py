"""The commands and their options, quick to import: what a command does is in cli.runs."""
