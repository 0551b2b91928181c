"""The folder of a saved classifier: its files, its card, and the features that it was fitted to."""
