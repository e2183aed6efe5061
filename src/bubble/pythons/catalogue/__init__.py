"""The catalogue of builds: embedded, updated by `bubble python update`, or BUBBLE_CATALOG's."""

from __future__ import annotations

from bubble.pythons.catalogue.catalogue import Catalogue, open_catalogue

__all__ = ["Catalogue", "open_catalogue"]
