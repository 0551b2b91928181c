"""Generative models of images: variational autoencoders, their priors, and a discriminator."""
