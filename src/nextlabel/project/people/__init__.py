"""The people of a project: names and passwords, sessions, and how far they agree."""
