"""`energy-server export`: everything that is stored, as files that other programs read."""
