"""Tests of training: methods that prune, share and round weights while a model learns.

All tests in this folder are skipped without torch.
"""

import pytest

pytest.importorskip("torch")
