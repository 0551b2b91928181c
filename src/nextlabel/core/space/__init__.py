"""Feature spaces: blocks of features, their scale, and their combination by equation 6."""
