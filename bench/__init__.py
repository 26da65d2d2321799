"""The load tools that `make bench` runs, and the peers they measure against. Nothing of the product imports it."""
