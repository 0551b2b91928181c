"""All that is trained: the task model, the VAE, and the feature blocks."""
