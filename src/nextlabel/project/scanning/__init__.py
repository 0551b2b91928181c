"""The images of a project: read from its folder, known by their content."""
