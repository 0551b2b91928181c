"""Running experiments: trials into workers, rounds into the store."""
