"""What the pages of a project show: pure functions of its state, model, space and images."""
