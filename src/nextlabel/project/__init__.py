"""A person's own images: what to label next, a classifier, and its predictions."""
