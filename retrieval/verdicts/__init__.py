"""Log verdicts, keep what a person decided on them, and make them again."""
