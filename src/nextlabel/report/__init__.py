"""The report: curves (data), figures (drawing), page (one HTML file)."""
