"""Dashify: a self-hosted, multi-tenant team workspace. `docs/architecture.md` says what lives where."""

from __future__ import annotations

__version__ = "0.1.0"
