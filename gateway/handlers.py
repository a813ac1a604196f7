"""The one table of control events: topic → the handlers that must see it."""

from core import outbox_topics

HANDLERS = {
    outbox_topics.USER_CREATED: ["billing.handlers.open_ledger_accounts"],
    outbox_topics.USER_REFERRED: ["affiliates.handlers.bind_at_sign_up"],
    outbox_topics.OPEN_JOBS_UNWANTED: ["media.handlers.end_unwanted_jobs"],
    outbox_topics.ACCOUNT_DELETED: ["media.handlers.erase_jobs", "payments.handlers.erase_purchases"],
    outbox_topics.ERASURE_CONTINUES: ["media.handlers.erase_jobs"],
    outbox_topics.DEPOSIT_SETTLED: ["affiliates.handlers.accrue"],
    outbox_topics.DEPOSIT_REVERSED: ["affiliates.handlers.claw_back"],
    outbox_topics.DEPOSIT_RESTORED: ["affiliates.handlers.restore"],
    outbox_topics.EMAIL_CODE_REQUESTED: ["accounts.handlers.mail_email_code"],
    outbox_topics.BALANCE_LOW: ["billing.handlers.mail_low_balance"],
}

MAILS = ("accounts.handlers.mail_email_code", "billing.handlers.mail_low_balance")
"""Handlers that talk to the mail server: a slow one must not hold up the others, so they have a loop of their own."""
