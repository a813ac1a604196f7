"""ace.step.create: a composer of songs from tags and lyrics."""
