"""What the paced tool runs: `program.py SECONDS`."""

import sys
import time

sys.stdout.write("done\n")
sys.stdout.flush()
time.sleep(float(sys.argv[1]))
