"""One file with all that cannot be made again: the database, what the buckets held, and on request the secrets."""
