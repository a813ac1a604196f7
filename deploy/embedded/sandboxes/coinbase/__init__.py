"""Coinbase Commerce, as far as a shop that sells by charges meets it."""
