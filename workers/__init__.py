"""The workers: take an attempt, run a model, put its outputs in the bucket, report back. No Django, no database."""
