"""Build the catalogue from a folder, add what is missing, check what is there."""
