"""The store: what is installed, what requests mean in it, and its upkeep."""
