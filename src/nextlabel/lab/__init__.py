"""The experiment: from a TOML file to rounds in a store."""
