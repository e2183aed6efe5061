"""Making environments: created, filled with packages, cloned, taken over where they lie."""
