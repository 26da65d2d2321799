"""HTTP: parse, one service call, JSON. One module a feature, and what every endpoint shares."""
