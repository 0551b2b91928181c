"""All that is trained or was trained before: task models, networks, VAEs and their signals."""
