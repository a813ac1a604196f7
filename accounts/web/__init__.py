"""Hosted pages: sign-in, the account, the approval of a device link."""
