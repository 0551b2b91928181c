"""Files that people gave or get."""
