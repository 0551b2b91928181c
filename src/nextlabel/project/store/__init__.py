"""The database of a project: images, answers, models and the queue."""
