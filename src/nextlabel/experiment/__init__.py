"""The experiment file: from TOML to frozen settings."""
