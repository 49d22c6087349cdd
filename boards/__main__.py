"""`python -m boards`."""

import sys

from boards.cli import main

if __name__ == "__main__":
    sys.exit(main())
