"""Programs that bubble starts to resolve and install packages: found, fetched, run."""
