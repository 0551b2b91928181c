"""Published data sets: the names, layouts and digests of their files."""
