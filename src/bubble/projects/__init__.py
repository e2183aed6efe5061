"""Projects: which bubbles one has, what exactly they consist of, and making them so."""
