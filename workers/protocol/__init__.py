"""The contract between control plane and workers: names, models, signatures. Standard library and pydantic only."""
