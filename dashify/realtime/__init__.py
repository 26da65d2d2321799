"""Sockets: parse, one service call, ack."""
