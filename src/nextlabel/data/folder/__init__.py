"""A folder of images: its listing, its reading, and what is known of its files."""
