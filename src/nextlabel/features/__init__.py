"""Feature blocks: made, fitted, kept in a cache, written to files."""
