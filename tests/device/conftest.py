import sys

import pytest

sys.path.insert(0, str(__import__("pathlib").Path(__file__).parent))

from fake import LIBRARIES  # noqa: E402


@pytest.fixture(autouse=True)
def fake_driver():
    if not (LIBRARIES / "libcuda.so.1").exists():
        pytest.skip("the fake driver is not built")
