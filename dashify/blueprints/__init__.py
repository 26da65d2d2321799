"""HTTP: parse, one service call, JSON."""
