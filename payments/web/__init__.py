"""The room's pages: where a customer lands after a provider's payment page."""
