"""The store's schema, version by version; `versions/` holds one file for each change."""
