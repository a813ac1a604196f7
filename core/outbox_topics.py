"""Topic names. A room may emit a topic without knowing who listens; `gateway.handlers` says who does."""

USER_CREATED = "accounts.user_created"
"""payload: accountId"""
EMAIL_CODE_REQUESTED = "accounts.email_code_requested"
"""payload: codeId"""
