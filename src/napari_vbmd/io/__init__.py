"""Scanner and community file formats: one file a format, and `files` as the one door to them."""
