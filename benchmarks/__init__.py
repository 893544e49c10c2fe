"""What the course promises, measured; outside the wheel. See `__main__.py`."""
