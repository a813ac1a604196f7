"""An x402 facilitator with the chain behind it: one token, real signatures, no network."""
