"""Dashify: a self-hosted, multi-tenant team workspace. `docs/architecture.md` says what lives where."""
