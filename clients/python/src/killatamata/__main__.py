"""`python -m killatamata`"""

import sys

from killatamata.cli import main

if __name__ == "__main__":
    sys.exit(main())
