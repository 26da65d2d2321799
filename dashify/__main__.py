"""`python -m dashify …`: the operators' commands, where their script is not on the path."""

from __future__ import annotations

from dashify.cli import main

if __name__ == "__main__":
    main(prog_name="dashify")
