"""Gunicorn's target. Patches first: what is imported before would keep blocking the loop."""

from __future__ import annotations

import gc

from gevent import monkey

monkey.patch_all()
# Nothing of what follows becomes garbage: looking at it again and again takes a third of the start. Frozen, it is left
# out of every later collection too, each of which would stop all requests for 0.15 s.
gc.disable()

from dashify.later import import_all  # noqa: E402 - after the patch, on purpose
from dashify.settings import from_env  # noqa: E402 - after the patch, on purpose
from dashify.web import create_app  # noqa: E402 - after the patch, on purpose

import_all()
app = create_app(from_env())
gc.freeze()
gc.enable()
