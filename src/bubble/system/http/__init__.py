"""Fetching over HTTP: the only place that imports the HTTP client.

`download` brings one file whose sha256 is known, resumably and in parallel segments; `fetch`
brings one small document. Both take `file://` too, without importing the client.
"""

from __future__ import annotations
