"""What is measured, one question a module: each takes the stage and a size and returns a report section."""
