"""What becomes of campaigns and of the facade while a part is away."""

import pytest

pytest.register_assert_rewrite("tests.outages.house")
