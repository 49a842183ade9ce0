"""Two processes that train together; ``python -m tests.torch.workers TABLE RANK FOLDER`` is one.

test_distributed.py starts both, and compares the results of each cell.
"""
