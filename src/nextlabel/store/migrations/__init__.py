"""The schema of the store: its revisions, and in `versions/` one file for each change."""
