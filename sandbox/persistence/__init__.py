"""Persistence: snapshots of apps, the data file of `--data`, files whose content is always whole."""
