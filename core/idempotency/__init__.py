"""The same key and the same request give the same answer, and the effect happens once."""
