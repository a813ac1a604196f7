"""image.edit on a CPU: the darkroom's own operations, chosen by the words of a prompt."""
