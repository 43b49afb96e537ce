from __future__ import annotations

from pathlib import Path

import pytest

from cognitive_memory.encoding import Encoder
from tests.support.real_model import require_real_model


@pytest.fixture(scope="session")
def model_directory() -> Path:
    return require_real_model()


@pytest.fixture(scope="session")
def encoder(model_directory: Path) -> Encoder:
    return Encoder.load(model_directory)
