"""Machine learning, in Python: a small embedding model, routing and search built on it.

``manifest.json`` pins every file that a model consists of by size and SHA-256; a file that
differs is refused. Nothing is ever downloaded at run time.
"""

from __future__ import annotations
