from __future__ import annotations

from collections.abc import Iterator

import pytest

from heimdall.models.transfer.http import Client


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.close()
