"""Stripe, as far as a shop that sells by Checkout meets it."""
