"""`make bench`: the platform timed against two floors, in one run on one machine."""
