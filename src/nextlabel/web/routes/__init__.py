"""Routes of the page: one noun a file, each with a `router`."""
