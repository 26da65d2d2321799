"""Development entry: the whole product on embedded servers, with one command."""

from __future__ import annotations

import sys

from dashify.local.run import main

if __name__ == "__main__":
    sys.exit(main())
