"""An installation with something in every book: deposits, refunds, disputes, jobs, commissions, payouts."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from affiliates.models import Affiliate, Attribution, PayoutRequest
from affiliates.services.commissions import DepositReversal, SettledDeposit, accrue, claw_back, mature_due, restore
from affiliates.services.decisions import decide_payout
from affiliates.services.payouts import cancel_payout, request_payout
from billing.services.adjust import adjust
from billing.services.credit_deposit import credit_deposit
from billing.services.reverse_deposit import reverse_deposit
from core import clock, ids
from media.models import Job
from payments.models import Checkout, Deposit, Reversal, X402Payment
from tests.affiliates.partners import new_affiliate
from tests.media.customers import Customer, new_customer
from tests.media.standin import StandIn

DOLLAR = 1_000_000


@dataclass(frozen=True)
class Books:
    """What was made, by name."""

    customer: Customer
    deposit: Deposit
    """By card: $1000, $100 of it refunded; a dispute of $50 was won; another was never taken."""
    x402: Deposit
    waiting: Job
    done: Job
    canceled: Job
    affiliate: Affiliate
    paid: PayoutRequest
    canceled_payout: PayoutRequest
    open_payout: PayoutRequest


def fill(node: StandIn) -> Books:
    """Make one of everything; `manage.py audit` finds nothing."""
    customer = new_customer(deposit=0)
    adjust(account_id=customer.id, amount=DOLLAR, reason="a gift", reference="gift:1", actor=None, source="promotion")
    affiliate = new_affiliate(new_customer(deposit=0).id)
    code = affiliate.codes.create(code=f"BOOKS-{affiliate.pk.hex[-8:].upper()}")
    Attribution.objects.create(account_id=customer.id, affiliate=affiliate, code=code, source="code")
    deposit = card_deposit(customer.id, 100_000)
    refund(deposit, 100 * DOLLAR)
    dispute(deposit, 50 * DOLLAR)
    Reversal.objects.create(
        deposit=deposit,
        kind="dispute",
        provider_id="dp_unheard",
        amount_micros=DOLLAR,
        status="restored",
        restored_at=clock.now(),
    )
    x402 = x402_deposit(customer.id, 123)
    done = customer.accepted()
    node.finish(done)
    canceled = customer.accepted()
    customer.cancel(canceled)
    return Books(
        customer=customer,
        deposit=Deposit.objects.get(pk=deposit.pk),
        x402=x402,
        waiting=customer.accepted(),
        done=done,
        canceled=canceled,
        affiliate=affiliate,
        **_earn_and_pay(affiliate, deposit, x402),
    )


def card_deposit(account_id: UUID, cents: int) -> Deposit:
    """A paid checkout and what came of it."""
    checkout = Checkout.objects.create(
        account_id=account_id,
        provider="stripe",
        package_code="scale",
        usd_cents=cents,
        status="paid",
        provider_id=f"cs_{ids.new().hex}",
        reconcile_at=None,
        finished_at=clock.now(),
    )
    return _deposit(checkout.pk, account_id, "stripe", f"pi_{checkout.pk.hex}", cents, "scale")


def x402_deposit(account_id: UUID, cents: int) -> Deposit:
    """A settled payment by x402 and what came of it."""
    payment = X402Payment.objects.create(
        account_id=account_id,
        network="eip155:84532",
        asset="0xasset",
        payer="0xpayer",
        nonce=f"0x{ids.new().hex}",
        pay_to="0xus",
        atomic_units=cents * 10_000,
        usd_cents=cents,
        valid_before=clock.now(),
        payload={},
        requirements={},
        status="settled",
        transaction=f"0x{ids.new().hex}",
    )
    return _deposit(payment.pk, account_id, "x402", payment.transaction, cents, "")


def refund(deposit: Deposit, amount: int) -> Reversal:
    """A refund that stands."""
    reversal = Reversal.objects.create(deposit=deposit, kind="refund", provider_id="re_1", amount_micros=amount)
    Deposit.objects.filter(pk=deposit.pk).update(reversed_micros=amount)
    reverse_deposit(
        account_id=deposit.account_id,
        amount=amount,
        provider=deposit.provider,
        reference=f"deposit:{deposit.pk}:refund:re_1",
    )
    return reversal


def dispute(deposit: Deposit, amount: int) -> Reversal:
    """A dispute that was taken and won."""
    base = f"deposit:{deposit.pk}:dispute:dp_1"
    given = {"account_id": deposit.account_id, "amount": amount, "provider": deposit.provider}
    reverse_deposit(**given, reference=f"{base}:opened")
    credit_deposit(**given, reference=f"{base}:won")
    return Reversal.objects.create(
        deposit=deposit,
        kind="dispute",
        provider_id="dp_1",
        amount_micros=amount,
        status="restored",
        restored_at=clock.now(),
    )


def _deposit(id_: UUID, account_id: UUID, provider: str, name: str, cents: int, package: str) -> Deposit:
    deposit = Deposit.objects.create(
        id=id_,
        account_id=account_id,
        provider=provider,
        provider_id=name,
        package_code=package,
        usd_cents=cents,
        amount_micros=cents * 10_000,
        settled_at=clock.now(),
    )
    credit_deposit(account_id=account_id, amount=cents * 10_000, provider=provider, reference=f"deposit:{id_}:paid")
    return deposit


def _earn_and_pay(affiliate: Affiliate, deposit: Deposit, x402: Deposit) -> dict[str, PayoutRequest]:
    """Commission on both deposits, one matured; a payout paid, one canceled, one open."""
    now, operator = clock.now(), new_customer(deposit=0).id
    long_ago = now - timedelta(days=60)
    for one, settled_at in ((deposit, long_ago), (x402, now)):
        accrue(deposit=SettledDeposit(one.pk, one.account_id, one.amount_micros, settled_at))
    settled = SettledDeposit(deposit.pk, deposit.account_id, deposit.amount_micros, long_ago)
    claw_back(deposit=settled, reversal=DepositReversal(ids.new(), 100 * DOLLAR), now=now)
    assert mature_due(limit=10, now=now) == 1
    undone = DepositReversal(ids.new(), 50 * DOLLAR)
    claw_back(deposit=settled, reversal=undone, now=now)
    restore(deposit=settled, reversal=undone, now=now)

    asked = affiliate.account_id
    request_payout(account_id=asked, note=None, idempotency_key=None, now=now)
    canceled = cancel_payout(account_id=asked, now=now)
    request_payout(account_id=asked, note=None, idempotency_key=None, now=now)
    paid = PayoutRequest.objects.get(affiliate=affiliate, status="requested")
    decide_payout(payout_id=paid.pk, action="approve", actor_id=operator, now=now)
    decide_payout(payout_id=paid.pk, action="pay", actor_id=operator, payment_reference="wire 1", now=now)
    later = SettledDeposit(card_deposit(deposit.account_id, 100_000).pk, deposit.account_id, 1000 * DOLLAR, long_ago)
    accrue(deposit=later)
    assert mature_due(limit=10, now=now) == 1
    request_payout(account_id=asked, note=None, idempotency_key=None, now=now)
    waiting = PayoutRequest.objects.get(affiliate=affiliate, status="requested")
    return {"paid": PayoutRequest.objects.get(pk=paid.pk), "canceled_payout": canceled, "open_payout": waiting}
