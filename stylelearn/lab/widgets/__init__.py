"""The parts that labs are put together from."""
