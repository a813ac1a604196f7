"""The operator's desk: Django's admin with a second factor, a front page, and permissions by group."""
