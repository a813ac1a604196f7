"""video.generate: camera moves and parallax over given frames, or over a scene composed from the prompt."""
