"""bubble itself: by which way it came onto this machine, kept up to date, and taken off again."""
