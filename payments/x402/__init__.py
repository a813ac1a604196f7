"""x402 payments as a buyer sends them: what is asked for, and what was signed. Nothing here calls out or stores."""
