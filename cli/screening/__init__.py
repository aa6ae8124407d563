"""Screen photographs as they come: take each in, have it judged once, keep and write what is said."""
