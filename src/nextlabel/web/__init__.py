"""The labelling page: a server on this machine, its routes, and the images that it shows."""
