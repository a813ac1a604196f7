"""Topic names. A room may emit a topic without knowing who listens; `gateway.handlers` says who does."""

USER_CREATED = "accounts.user_created"
"""payload: accountId"""
