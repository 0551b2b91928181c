"""Routes of the page: one noun per file, each with a `router`."""
