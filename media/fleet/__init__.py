"""The nodes: which live, what they can take, what they may sign."""
