"""A labelling project: images of a folder, the log of answers, and what follows from them."""
