"""Sentences of the published documents that belong to no single route."""

API_DESCRIPTION = """\
Submit a media job, poll it or be called back, download the files. Every job has a price that is known before it runs, \
is held when it is accepted, and is charged only when it completes.

**Credentials.** An API key as `Authorization: Bearer <key>` or `x-api-key: <key>`, or the session of a browser. A key \
may be limited to scopes (`x-required-scope` on each operation) and to an amount a month.

**Errors** are `{"error", "code", "details"}`: a sentence for people, a code for programs, and what belongs to the \
code. `invalid_request` names each wrong field in `details.fields`. A path that does not exist is 404 \
`route_not_found`, a method that a path does not take 405 `method_not_allowed`. Media routes say `"billed": false`.

**Limits.** Requests are counted in windows of a minute, for each key or session, else for each address: the \
`X-RateLimit-*` headers say how many are left. After a 429 or a 503 wait as long as `Retry-After` says.

**Money** is in millionths of a US dollar (`…Micros`, integers) and as exact decimals in text. **Times** are RFC 3339 \
in UTC. **Unknown fields** are refused, so that a typing error is never silently ignored.
"""
TAGS = {
    "media": "Jobs, their prices, and the catalogue of tasks.",
    "payments": "Credit to buy: packages, payment pages, and what the payment providers tell.",
    "balance": "What the account may spend.",
    "affiliates": "Referral codes, and commission on the deposits of the accounts that they bring.",
    "webhooks": "Callbacks at a job's end: their secret and their deliveries.",
    "auth": "From a proven address to a key or a browser's session.",
    "device": "A program without a browser gets a key that a person approves elsewhere.",
    "keys": "API keys: list, create, revoke.",
    "account": "What happened to the account.",
    "health": "Is it up, and which versions.",
    "credits": "Buying credit with x402; and older routes, each of which names what replaces it.",
}
"""Every tag that a route may have, in the order in which the documents show them."""
