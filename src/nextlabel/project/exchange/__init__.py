"""Labels of a project to files and back; each format is one file in `formats/`."""
