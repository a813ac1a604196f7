"""The tasks on offer: one module each, named like its input model and its pipeline."""
