"""The HTTP edge of AGENTCore: runs, search, health, metrics; and the service around it."""

from __future__ import annotations
