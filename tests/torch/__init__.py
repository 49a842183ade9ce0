"""Training: methods that prune, share and round weights while a model learns.

Without torch every test of this folder is skipped.
"""

import pytest

pytest.importorskip("torch")
