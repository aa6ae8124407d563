"""The `artifact` command line: commands, what they do, and the pages, pictures and records they write."""
