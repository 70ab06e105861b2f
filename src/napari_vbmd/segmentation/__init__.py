"""From a scan to a mask: methods by name, and what may be done to a mask afterwards."""

import os

# A network's threads wait for each other after every layer. Asleep they leave the cores to other
# work; spinning, as OpenMP does when told nothing, they take ten times as long beside other work.
# Read once, when torch is loaded; who has chosen keeps the choice.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
