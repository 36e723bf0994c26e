"""How a demo starts, or says why it does not."""

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_cookie_store_without_keys(framework, tmp_path):
    """A setting that cannot work ends the demo with its reason, not with a traceback."""
    ended = subprocess.run(
        [sys.executable, EXAMPLES / f"login_{framework}.py"],
        cwd=tmp_path,
        env=os.environ | {"SOJOURN_STORE": "cookie://", "SOJOURN_KEYS": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert "key" in ended.stderr
    assert "Traceback" not in ended.stderr
