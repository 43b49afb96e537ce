"""The public name; what it does is tested with `heimdall.doctor.examination`."""

from __future__ import annotations

import heimdall.doctor.examination
from heimdall.cognitive_system import health_checker


def test_it_is_the_doctors_check() -> None:
    own = heimdall.doctor.examination.check_data_directories
    assert health_checker.check_data_directories is own
