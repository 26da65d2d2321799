"""A small real language model behind Ollama's protocol.

Only the hosts' own process loads it: its library and that which shapes our printed text do not live in one process.
"""

MODEL = "smollm2:135m"
OTHER = "smollm2:latest"
