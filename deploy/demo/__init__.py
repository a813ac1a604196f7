"""`make demo`: the whole platform does real jobs for a new account, and everything is checked."""
