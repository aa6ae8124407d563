"""Write pages of HTML."""
