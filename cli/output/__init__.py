"""Write for people: text made safe, terminal, files."""
