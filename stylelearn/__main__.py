"""`python -m stylelearn` is `stylelearn`."""

import sys

from stylelearn.cli import main

if __name__ == "__main__":
    sys.exit(main())
