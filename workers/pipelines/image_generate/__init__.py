"""image.generate: a prompt becomes an image. The CPU engine composes a scene of drawn objects."""
