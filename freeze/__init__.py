"""Building the ready-made program: a folder that runs where no Python is. ``python -m freeze`` does it."""
