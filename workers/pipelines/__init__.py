"""The engines: one folder a task, named like its catalogue entry and its input model."""
