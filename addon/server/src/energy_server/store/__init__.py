"""Where data rests: two ports (`port.py`) and their adapters."""
