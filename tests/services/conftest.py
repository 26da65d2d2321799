"""What tests of services that ask for jobs share: a runner that does them here, and Acme's first channel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashify.context import Context
from dashify.jobs.runner import Runner
from dashify.resources import Resources
from dashify.services import channels
from dashify.settings import Settings


@pytest.fixture(scope="module")
def runner(settings: Settings, resources: Resources) -> Iterator[Runner]:
    opened = Runner(settings)
    yield opened
    opened.resources.close()


@pytest.fixture
def general(alice: Context) -> str:
    return str(channels.list_channels(alice, None, 50)["channels"][0]["id"])
