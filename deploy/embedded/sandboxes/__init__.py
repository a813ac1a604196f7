"""Sandboxes of the payment providers: Stripe, Coinbase Commerce, and an x402 facilitator with the chain behind it.

Light on purpose: the supervisor imports `settings` from here without any provider's library. The servers are in
`server.Sandboxes`.
"""
