"""The platform's settings: everything that differs between installations comes from the environment.

`deploy.embedded` fills the environment for `make up`, `make demo` and the tests; production sets the same names.
"""

import dj_database_url

from gateway.settings.desk import DESK
from gateway.settings.environment import ROOT, addresses_of, flag, hosts_of, integer, required_words, site, text, words
from gateway.settings.logging import logging_configuration

DEBUG = flag("DEBUG", False)
SECRET_KEY = text("SECRET_KEY")
SECRET_KEY_FALLBACKS = words("SECRET_KEY_FALLBACKS")
"""Keys that are being replaced: sessions and tokens signed with them are still good."""
VERSION = "0.1.0"

SITE_URL = site("SITE_URL", "http://127.0.0.1:8000")
API_BASE_URL = site("API_BASE_URL", SITE_URL)
ALLOWED_HOSTS = words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
TRUSTED_PROXIES = words("TRUSTED_PROXIES")
"""Addresses or networks whose X-Forwarded-For is believed; nobody by default."""

CSRF_TRUSTED_ORIGINS = [SITE_URL]
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_NAME = "killa_tamata_browser_session"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https://")
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "accounts.backends.ProvenAddress",
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
"""Staff alone have passwords."""

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "gateway.desk.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts.allauth_apps.AllauthAccount",
    "allauth.socialaccount",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "core",
    "accounts",
    "billing",
    "affiliates",
    "payments",
    "media",
    "gateway",
]
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "gateway.urls"
WSGI_APPLICATION = "gateway.wsgi.application"

DATABASES = {"default": dj_database_url.parse(text("DATABASE_URL"), conn_max_age=None, conn_health_checks=True)}
DATABASES["default"]["ENGINE"] = "core.postgresql"
# The ledger's statements cost more to plan than to run: prepared, a hold takes half the time.
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "server_side_binding": True,
    "prepare_threshold": 5,
}
REDIS_URL = text("REDIS_URL")
"""Rate limits and nonces; also the broker unless CELERY_BROKER_URL says otherwise."""
CELERY_BROKER_URL = text("CELERY_BROKER_URL", REDIS_URL)

S3_ENDPOINT_URL = text("S3_ENDPOINT_URL")
S3_PUBLIC_ENDPOINT_URL = text("S3_PUBLIC_ENDPOINT_URL", S3_ENDPOINT_URL)
"""The bucket as clients and nodes reach it; presigned URLs carry this host."""
S3_ACCESS_KEY = text("S3_ACCESS_KEY")
S3_SECRET_KEY = text("S3_SECRET_KEY")
S3_REGION = text("S3_REGION", "us-east-1")
S3_PUBLIC_BUCKET = text("S3_PUBLIC_BUCKET", "killatamata-public")
"""Outputs: anybody who knows the key may read."""
S3_PRIVATE_BUCKET = text("S3_PRIVATE_BUCKET", "killatamata-private")
"""Staged inputs and signed results: presigned access only."""
CDN_BASE_URL = text("CDN_BASE_URL", f"{S3_PUBLIC_ENDPOINT_URL}/{S3_PUBLIC_BUCKET}")

HTTP_ALLOWED_TARGETS = words("HTTP_ALLOWED_TARGETS")
"""Exact host:port pairs exempt from the address rules of core.http. Empty in production; tests and the demo set it."""
HTTP_FORBIDDEN_TARGETS = [
    *hosts_of(text("DATABASE_URL"), REDIS_URL, CELERY_BROKER_URL),
    *addresses_of(S3_ENDPOINT_URL, *words("FLOWER_URL")),
]
"""Our own services, refused as input or callback even where their addresses are public: whole hosts, and host:port."""
HTTP_ALLOW_PLAIN = flag("HTTP_ALLOW_PLAIN", False)
"""Whether http:// (not only https://) input and callback URLs are accepted."""

API_KEY_PEPPER = text("API_KEY_PEPPER")
API_KEY_PEPPER_FALLBACKS = words("API_KEY_PEPPER_FALLBACKS")
"""Peppers that are being replaced: keys hashed under them are good, and move to the new one when they are used."""
NODE_MASTER_KEY = text("NODE_MASTER_KEY")
"""Node secrets are derived from it (workers.protocol.signing); never sent anywhere."""
NODE_MASTER_KEY_FALLBACKS = words("NODE_MASTER_KEY_FALLBACKS")
"""Master keys that are being replaced: nodes may sign with what was derived from them."""
DATA_ENCRYPTION_KEYS = required_words("DATA_ENCRYPTION_KEYS")
"""Fernet keys, newest first: secrets at rest are written with the first and read with any."""

GOOGLE_CLIENT_ID = text("GOOGLE_CLIENT_ID", "")
GOOGLE_CLIENT_SECRET = text("GOOGLE_CLIENT_SECRET", "")
"""Our own client at Google, for the redirect of the sign-in page; without both the page does not offer it."""
GOOGLE_AUTHORIZE_URL = text("GOOGLE_AUTHORIZE_URL", "https://accounts.google.com/o/oauth2/v2/auth")
GOOGLE_TOKEN_URL = text("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token")
GOOGLE_CLIENT_IDS = [*words("GOOGLE_CLIENT_ID"), *words("GOOGLE_CLIENT_IDS")]
"""Google's client ids whose ID tokens sign in here, our own among them; empty: that is answered with 503."""
GOOGLE_CERTS_URL = text("GOOGLE_CERTS_URL", "https://www.googleapis.com/oauth2/v1/certs")
"""Where the certificates of ID tokens are: a JSON object, key id → PEM."""
GOOGLE_ISSUERS = words("GOOGLE_ISSUERS", "accounts.google.com,https://accounts.google.com")
EMAIL_HOST = text("EMAIL_HOST", "")
"""The mail server; empty: sign-in by email code is answered with 503."""
EMAIL_PORT = integer("EMAIL_PORT", 25)
EMAIL_HOST_USER = text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = text("DEFAULT_FROM_EMAIL", "Killa Tamata <no-reply@localhost>")

# allauth does Google's redirect (accounts.web.google_redirect); its accounts, forms, mails and pages are not used.
SOCIALACCOUNT_ADAPTER = "accounts.web.google_redirect.SocialAccountAdapter"
SOCIALACCOUNT_ONLY = True
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = SOCIALACCOUNT_EMAIL_VERIFICATION = "none"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = ["gateway.settings.formats"]
STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "var" / "static"

OUTBOX_HANDLERS = "gateway.handlers.HANDLERS"
DIAGNOSTIC_TASKS = flag("DIAGNOSTIC_TASKS", False)
"""Whether diagnostic.noop may be submitted."""
GEMINI_API_KEY = text("GEMINI_API_KEY", "")
"""Google's key for audio.speak with provider gemini; empty: it is answered with 503."""
GEMINI_BASE_URL = text("GEMINI_BASE_URL", "")
"""Where Gemini's API is; empty: Google's own address."""
GEMINI_SPEECH_MODEL = text("GEMINI_SPEECH_MODEL", "gemini-3.1-flash-tts-preview")
STRIPE_SECRET_KEY = text("STRIPE_SECRET_KEY", "")
"""Empty: buying with a card is answered with 503."""
STRIPE_WEBHOOK_SECRETS = words("STRIPE_WEBHOOK_SECRETS")
"""The signing secrets of our endpoint at Stripe; two while one is being rotated."""
STRIPE_API_BASE = text("STRIPE_API_BASE", "https://api.stripe.com")
COINBASE_API_KEY = text("COINBASE_API_KEY", "")
"""Empty: buying with crypto is answered with 503."""
COINBASE_WEBHOOK_SECRETS = words("COINBASE_WEBHOOK_SECRETS")
COINBASE_API_BASE = text("COINBASE_API_BASE", "https://api.commerce.coinbase.com")
X402_FACILITATOR_URL = text("X402_FACILITATOR_URL", "")
"""Who verifies and settles x402 payments; empty: they are answered with 503."""
X402_FACILITATOR_KEY = text("X402_FACILITATOR_KEY", "")
"""Sent as a bearer token where the facilitator wants one."""
X402_PAY_TO = text("X402_PAY_TO", "")
"""Our address, which receives USDC."""
X402_NETWORK = text("X402_NETWORK", "eip155:8453")
"""CAIP-2; Base unless set."""
X402_ASSET = text("X402_ASSET", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")
"""The USDC contract on that network."""
X402_ASSET_NAME = text("X402_ASSET_NAME", "USD Coin")
X402_ASSET_VERSION = text("X402_ASSET_VERSION", "2")
"""Name and version in the contract's EIP-712 domain."""
X402_RPC_URL = text("X402_RPC_URL", "")
"""A JSON-RPC endpoint of that network: asked what became of an uncertain payment; empty: operators are."""
PAYMENTS_SANDBOX = words("PAYMENTS_SANDBOX")
"""The providers (stripe, coinbase, x402) that are this installation's own sandboxes: no money moves there."""
PAYMENTS_MOST_OPEN_CHECKOUTS = integer("PAYMENTS_MOST_OPEN_CHECKOUTS", 20)
"""How many purchases of one account may wait to be paid."""
PROVIDER_EVENT_DAYS = integer("PROVIDER_EVENT_DAYS", 90)
"""How long a provider's event is kept word for word once it is judged; then only its ids."""
REFERRAL_COOKIE_NAME = "killa_tamata_referral"
"""What holds the capture token of a browser that followed an affiliate's link."""
AFFILIATE_MATURITY_DAYS = integer("AFFILIATE_MATURITY_DAYS", 30)
"""How long a commission is pending: as long as most refunds and disputes may take."""
AFFILIATE_MOST_BASIS_POINTS = integer("AFFILIATE_MOST_BASIS_POINTS", 5_000)
"""The largest share of deposits, in hundredths of a percent, that staff may give an affiliate."""
ADJUSTMENT_APPROVAL_MICROS = integer("ADJUSTMENT_APPROVAL_MICROS", 100_000_000)
"""An adjustment by hand of so many micros, or several that add up to it within a day, waits for a second person."""
STAFF_SECOND_FACTOR = flag("STAFF_SECOND_FACTOR", True)
"""Whether staff need a code of their authenticator besides the password."""
OTP_TOTP_ISSUER = "Killa Tamata"
UNFOLD = DESK
RECEIPT_ISSUER = [line.strip() for line in text("RECEIPT_ISSUER", "Killa Tamata").split("|") if line.strip()]
"""Who sells: name, address, tax number, one line each, separated by `|`."""
RECEIPT_FONT = text("RECEIPT_FONT", "")
"""A TrueType file for PDF receipts; empty: one for Latin scripts."""
MEDIA_WAIT_LIMIT_HOURS = integer("MEDIA_WAIT_LIMIT_HOURS", 24)
"""A job that no worker took for so long is ended and its hold released."""
MEDIA_MOST_OPEN_JOBS = integer("MEDIA_MOST_OPEN_JOBS", 1_000)
"""Jobs of one account that wait or run."""
CONTENT_POLICY = words("CONTENT_POLICY", "media.content_policy.block_list")
"""Dotted paths of the classifiers that judge every input (media.content_policy); the first that refuses decides."""
CONTENT_BLOCK_LIST = text("CONTENT_BLOCK_LIST", "")
"""A file of terms that no input may contain, one a line; empty: none are."""
MEDIA_LEASE_SECONDS = integer("MEDIA_LEASE_SECONDS", 30)
"""How long an attempt stays its worker's without a word from it."""
MEDIA_REPUBLISH_SECONDS = integer("MEDIA_REPUBLISH_SECONDS", 30)
"""How long a published attempt may stay unclaimed before its message is sent again."""
RATE_LIMITS = {
    "write": integer("RATE_LIMIT_WRITES", 600),
    "read": integer("RATE_LIMIT_READS", 3000),
    "sign_in": integer("RATE_LIMIT_SIGN_INS", 60),
    "referral": integer("RATE_LIMIT_REFERRALS", 60),
    "webhook": integer("RATE_LIMIT_WEBHOOKS", 60_000),
}
"""Requests a minute for each key or session; without one, and for signing in, referral codes and providers' webhooks,
for each address."""
DATA_UPLOAD_MAX_MEMORY_SIZE = 90_000_000
"""60 MB of inline media in base64, and their envelope."""

CONTACT_EMAIL = text("CONTACT_EMAIL", f"support@{hosts_of(SITE_URL)[0]}")
"""Whom the published documents tell people to write to."""
LEGAL_INFO_URL = text("LEGAL_INFO_URL", f"{SITE_URL}/legal")
"""The operator's terms; without them a page that tells what the platform does."""
SPECTACULAR_SETTINGS = {"OAS_VERSION": "3.1.0"}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "accounts.authentication.BrowserSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.Authenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["gateway.throttling.RateLimit"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "gateway.negotiation.AlwaysJson",
    "EXCEPTION_HANDLER": "gateway.api_errors.handle",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "gateway.discovery.schema.RouteSchema",
}

MIDDLEWARE = [
    "gateway.middleware.RequestMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "gateway.middleware.LimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "gateway.pages.WhiteNoiseMiddleware",
    "gateway.pages.SessionMiddleware",
    "gateway.pages.CommonMiddleware",
    "gateway.pages.CsrfViewMiddleware",
    "gateway.pages.AuthenticationMiddleware",
    "gateway.pages.MessageMiddleware",
    "gateway.pages.XFrameOptionsMiddleware",
    "gateway.desk.headers.DeskHeaders",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.ui.sandbox.sandbox_banner",
            ]
        },
    }
]

# Calls with a key may come from any page. `*` and no credentials: a browser sends no session along, nor keeps one.
CORS_ALLOW_ALL_ORIGINS = True
CORS_URLS_REGEX = r"^/(api/|openapi\.json$|llms\.txt$|logo\.svg$|\.well-known/|skills/)"
CORS_ALLOW_HEADERS = [
    "authorization",
    "content-type",
    "idempotency-key",
    "payment-signature",
    "x-api-key",
    "x-idempotency-key",
    "x-quote-id",
]
CORS_EXPOSE_HEADERS = [
    "Deprecation",
    "Idempotent-Replay",
    "PAYMENT-REQUIRED",
    "PAYMENT-RESPONSE",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-Id",
]

LOGGING = logging_configuration(level=text("LOG_LEVEL", "INFO"))
