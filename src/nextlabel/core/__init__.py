"""The vocabulary of nextlabel: values and protocols, no models, no files."""
