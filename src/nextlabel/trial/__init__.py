"""One arm with one seed, as an iterator of rounds."""
