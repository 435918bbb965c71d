"""A matcher that is swapped while it is used."""
