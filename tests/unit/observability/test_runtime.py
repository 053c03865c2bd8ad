"""How processes share processors."""

import subprocess
import sys

import pytest

STANDS_BACK = """
import os
from purple.observability.runtime import SESSION, stand_back

def weight():
    # Empty where the session is that of the machine's first process, and not there at all on other kernels.
    words = SESSION.read_text().split() if os.access(SESSION, os.W_OK) else []
    return words[-1] if words else "none"

before = os.nice(0), weight()
stand_back(3)
print(*before, os.nice(0), weight())
"""


@pytest.mark.parametrize("leads", [True, False])
def test_who_leads_a_session_has_it_stand_back_too(leads) -> None:
    argv = [sys.executable, "-c", STANDS_BACK]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, start_new_session=leads)
    nice, weight, nice_after, weight_after = done.stdout.split()
    assert int(nice_after) == min(19, int(nice) + 3)
    assert weight_after == (nice_after if leads and weight != "none" else weight)
