"""How processes share processors."""

import os
import subprocess
import sys

import pytest

from purple.observability.runtime import SESSION

STANDS_BACK = """
import os
from purple.observability.runtime import SESSION, stand_back
stand_back(3)
print(os.nice(0), SESSION.read_text().split()[-1] if SESSION.exists() else os.nice(0))
"""


@pytest.mark.parametrize("leads", [True, False])
def test_who_leads_a_session_has_it_stand_back_too(leads) -> None:
    before = SESSION.read_text().split()[-1] if SESSION.exists() else ""
    argv = [sys.executable, "-c", STANDS_BACK]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, start_new_session=leads)
    nice = str(min(19, os.getpriority(os.PRIO_PROCESS, 0) + 3))
    assert done.stdout.split() == [nice, nice if leads or not before else before]
