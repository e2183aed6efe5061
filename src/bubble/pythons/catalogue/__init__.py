"""The catalogue of builds: embedded, updated by `bubble python update`, or BUBBLE_CATALOG's.

- `catalogue`: look-ups, on everyday paths; `volume`: the file format behind them; `explain`: what
  to say when nothing fits;
- `source`, `custom`, `compile`: BUBBLE_CATALOG; `update`: a newer index; `regenerate`: the embedded
  data; `listed`: the downloads of a volume, and a volume of downloads;
- `index`, `release`, `entry`: reading and checking indexes; `known`: what they must not contradict.
"""

from __future__ import annotations

from bubble.pythons.catalogue.catalogue import Catalogue, open_catalogue

__all__ = ["Catalogue", "open_catalogue"]
