"""Gunicorn's target. Patches first: what is imported before would keep blocking the loop."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

from dashify.settings import from_env  # noqa: E402 - after the patch, on purpose
from dashify.web import create_app  # noqa: E402 - after the patch, on purpose

app = create_app(from_env())
