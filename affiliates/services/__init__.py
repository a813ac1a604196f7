"""What may be done with affiliates, their codes, commissions and payouts."""
