"""trellis.generate on the processor: a picture's silhouette inflated to a closed, textured shape."""
