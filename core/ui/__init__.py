"""The look of our hosted pages: one base template, one stylesheet, and the headers that every page carries."""
