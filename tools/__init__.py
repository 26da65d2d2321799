"""What the Makefile's targets call: setting up, checking, testing. Nothing of the product imports it."""
