"""Scripts that say what they need (PEP 723): found, read, locked, and given an environment."""
