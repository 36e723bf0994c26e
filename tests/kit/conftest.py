import sys
from pathlib import Path

# The honest store is shared with tests/mutants; tests are no packages.
sys.path.insert(0, str(Path(__file__).parent))
