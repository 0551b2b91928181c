"""The loop of a project: spaces, models, the queue, and what the pages show of them."""
