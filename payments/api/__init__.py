"""Routes of the payments room under /api/v1/."""
