"""A simulated person: a client of the page like any other, with the answers from a file."""
