"""What every lab runs on: the worker thread, its clock, the kernel around it, its networks and errors."""
