"""Background work: ids in, nothing out, safe to run twice."""
