"""What every lab runs on: the worker thread, its clock, the kernel around it, and the two base classes."""
