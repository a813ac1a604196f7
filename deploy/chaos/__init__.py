"""Everything dies under load, repeatedly; afterwards the books, the bucket and the callbacks are audited."""
