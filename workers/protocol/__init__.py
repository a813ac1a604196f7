"""The contract between the control plane and the workers: names, models, signatures. Standard library and pydantic only."""
