"""Text files that list images: manifests, labels and ids, and the spellings of image names."""
