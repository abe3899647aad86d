"""What is known to be complete (`coverage.py`) and what must be rolled up anew (`dirty.py`)."""
