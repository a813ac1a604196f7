"""diagnostic.noop"""
