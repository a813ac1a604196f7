"""The second floor: Django with nothing around it, doing the statements of the platform."""
