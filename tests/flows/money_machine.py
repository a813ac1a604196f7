"""Every way money moves, driven at random and with threads; what the books must say is computed apart from them.

A customer's figures follow from what Stripe's sandbox says was paid, refunded and disputed, and from what its jobs
held and cost; an affiliate's from its customers' deposits. The machine adds that up in plain arithmetic and compares
whenever everything that was said has been heard. Between those moments it asks for what must hold at any time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar
from uuid import UUID

from django.test import Client
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from accounts.services.users import create_account
from affiliates.models import Affiliate, AffiliateCode, Attribution, Commission, PayoutRequest
from affiliates.services.attribution import bind_explicit
from affiliates.services.commissions import mature_due
from affiliates.services.decisions import decide_payout
from affiliates.transitions import APPROVED, PAYOUT_OPEN
from billing.models import Transfer
from billing.selectors import audit, balance, commission, trial_balance
from billing.services.capture_hold import capture_hold
from billing.services.place_hold import AccountInDebt, Hold, InsufficientBalance, place_hold
from core import clock, ids
from core.errors import InvalidState
from core.outbox.models import DeadEvent, OutboxEvent
from core.outbox.services import handle_due
from deploy.embedded.sandboxes.server import Sandboxes
from payments.models import Deposit, ProviderEvent
from payments.services.process_events import process_due_events
from payments.services.reconcile_due import reconcile_due
from tests.billing.racing import race
from tests.media.customers import Customer, new_customer

CENT = 10_000
BASIS_POINTS = 3_333
"""A share that never comes out even."""
PACKAGES = {"starter": 500, "creator": 2_000, "scale": 20_000}
LATER = timedelta(days=31)
"""After which a commission is mature, and everything that was put off is due."""
MOST_SALES = 12
_numbers = count(1)

who = st.integers(0, 1)
pick = st.integers(0, 10**6)


@dataclass
class Sale:
    """One Checkout Session, as its provider knows it."""

    session_id: str
    cents: int
    payment_intent: str = ""
    refunded: int = 0
    dispute: str = ""
    disputed: int = 0
    """Cents that a dispute keeps from us now."""
    lost: bool = False

    @property
    def left(self) -> int:
        """Cents that are ours."""
        return self.cents - self.refunded - self.disputed if self.payment_intent else 0


@dataclass
class Buyer:
    """What the books must say of one customer."""

    customer: Customer
    sales: list[Sale] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    captured: int = 0
    referred: bool = False

    @property
    def held(self) -> int:
        return sum(hold.amount for hold in self.holds)

    @property
    def net(self) -> int:
        """What is available, less what is owed."""
        return sum(sale.left for sale in self.sales) * CENT - self.captured - self.held


class Money(RuleBasedStateMachine):
    """Two customers, the affiliate who brought one of them (and perhaps the other), an operator, and Stripe."""

    sandboxes: ClassVar[Sandboxes]
    steps: ClassVar[int] = 0
    tallies: ClassVar[dict[str, int]] = {}

    @initialize()
    def open(self) -> None:
        number = next(_numbers)
        self.buyers = [Buyer(new_customer(deposit=0)), Buyer(new_customer(deposit=0))]
        self.partner = new_customer(deposit=0)
        self.operator: UUID = create_account(email=f"operator-{number}-{ids.new().hex[-8:]}@example.com").pk
        affiliate = Affiliate.objects.create(
            account_id=self.partner.id,
            status=APPROVED,
            display_name="Partner",
            contact_email=f"partner-{number}@example.org",
            payout_address=f"partner-{number}@pay.example.org",
            basis_points=BASIS_POINTS,
        )
        self.code = AffiliateCode.objects.create(affiliate=affiliate, code=ids.new().hex[-12:].upper()).code
        self.affiliate = affiliate
        self.buyers[0].referred = self._bind(0)
        self.paid_out = 0
        self.events: list[str] = []
        self.known = {event["id"] for event in self.sandboxes.stripe.events()[:1]}
        self.number = self.delivered = 0
        for index in (0, 1):  # so that there is something to refund, dispute, spend and earn from the start
            for package in ("scale", "creator", "scale"):
                self.begin_a_checkout(index, package)
            self.pay(index, 0)
        self.let_everything_settle()
        if number % 2:
            self.mature()  # so that there is something to pay out, too

    # What customers do -------------------------------------------------------------------------------------

    @precondition(lambda self: all(len(buyer.sales) < MOST_SALES for buyer in self.buyers))
    @rule(index=who, package=st.sampled_from(sorted(PACKAGES)))
    def begin_a_checkout(self, index: int, package: str) -> None:
        buyer = self.buyers[index]
        self.tally("checkout")
        answer = buyer.customer.post("/api/v1/checkout/stripe", {"packageCode": package})
        assert answer.status_code == 201, answer.content
        buyer.sales.append(Sale(answer.json()["sessionId"], PACKAGES[package]))

    @precondition(lambda self: self.any_sale(lambda sale: not sale.payment_intent))
    @rule(index=who, number=pick)
    def pay(self, index: int, number: int) -> None:
        sale = self.sale(index, number, lambda sale: not sale.payment_intent)
        if sale is not None:
            self.tally("payment")
            sale.payment_intent = self.sandboxes.stripe.pay(sale.session_id)["payment_intent"]
            self.listen()

    @rule(index=who, number=pick, times=st.integers(1, 3))
    def claim(self, index: int, number: int, times: int) -> None:
        sale = self.sale(index, number, lambda sale: True)
        if sale is not None:
            self.tally("claim")
            self.at_once([lambda: self.claim_once(sale)] * times)

    @rule(index=who, amount=st.integers(1, 30_000_000))
    def hold(self, index: int, amount: int) -> None:
        buyer, before = self.buyers[index], balance(account_id=self.buyers[index].customer.id)
        self.number += 1
        reference = f"job:{buyer.customer.id}.{self.number}:hold"
        try:
            placed = place_hold(account_id=buyer.customer.id, amount=amount, reference=reference)
        except AccountInDebt:
            assert before.receivable > 0
        except InsufficientBalance:
            assert before.available < amount
        else:
            assert (before.available >= amount, before.receivable) == (True, 0)
            self.tally("hold")
            buyer.holds.append(placed)

    @precondition(lambda self: any(buyer.holds for buyer in self.buyers))
    @rule(index=who, number=pick, permille=st.sampled_from([0, 1, 333, 1_000]), times=st.integers(1, 3))
    def end_a_job(self, index: int, number: int, permille: int, times: int) -> None:
        buyer = self.buyers[index]
        if not buyer.holds:
            return
        hold = buyer.holds.pop(number % len(buyer.holds))
        amount = hold.amount * permille // 1_000
        self.tally("capture" if amount else "release")
        self.at_once([lambda: capture_hold(hold=hold, amount=amount)] * times)
        buyer.captured += amount

    @rule(index=who)
    def bind(self, index: int) -> None:
        buyer = self.buyers[index]
        late = Deposit.objects.filter(account_id=buyer.customer.id).exists()
        applied = self._bind(index)
        assert applied == (not buyer.referred and not late)
        buyer.referred = buyer.referred or applied

    # What Stripe does, and tells ---------------------------------------------------------------------------

    @precondition(lambda self: self.any_sale(lambda sale: sale.left > 0 and not sale.disputed))
    @rule(index=who, number=pick, part=st.sampled_from([1, 3, 100]))
    def refund(self, index: int, number: int, part: int) -> None:
        """A third, all, or a cent of what is left."""
        sale = self.sale(index, number, lambda sale: sale.left > 0 and not sale.disputed)
        if sale is None:
            return
        cents = max(1, sale.left * {1: 0, 3: 1, 100: 3}[part] // 3)
        self.tally("refund")
        self.sandboxes.stripe.refund(sale.payment_intent, cents)
        sale.refunded += cents
        self.listen()

    @precondition(lambda self: self.any_sale(lambda sale: sale.left > 0 and not sale.dispute))
    @rule(index=who, number=pick)
    def dispute(self, index: int, number: int) -> None:
        sale = self.sale(index, number, lambda sale: sale.left > 0 and not sale.dispute)
        if sale is not None:
            self.tally("dispute")
            sale.disputed = sale.left
            sale.dispute = self.sandboxes.stripe.dispute(sale.payment_intent)["id"]
            self.listen()

    @precondition(lambda self: self.any_sale(lambda sale: bool(sale.disputed) and not sale.lost))
    @rule(index=who, number=pick, won=st.booleans())
    def end_a_dispute(self, index: int, number: int, won: bool) -> None:
        sale = self.sale(index, number, lambda sale: bool(sale.disputed) and not sale.lost)
        if sale is None:
            return
        self.tally("won" if won else "lost")
        if won:
            self.sandboxes.stripe.win_dispute(sale.dispute)
            sale.disputed = 0
        else:
            self.sandboxes.stripe.lose_dispute(sale.dispute)
            sale.lost = True
        self.listen()

    @precondition(lambda self: self.events)
    @rule(number=pick, times=st.integers(1, 4), claim=st.booleans(), index=who, judge=st.booleans())
    def deliver(self, number: int, times: int, claim: bool, index: int, judge: bool) -> None:
        """Any event, old or new, several times at once; perhaps while somebody claims and the steward judges."""
        event = self.events[number % len(self.events)]
        self.tally("delivery", times)
        calls: list[Callable[[], Any]] = [lambda: self.deliver_once(event)] * times
        sale = self.sale(index, number, lambda sale: True)
        if claim and sale is not None:
            calls.append(lambda: self.claim_once(sale))
        if judge:
            calls += [self.judge, self.judge]
        self.at_once(calls)

    # What the steward and the operator do -------------------------------------------------------------------

    @rule(times=st.integers(1, 2))
    def judge_events(self, times: int) -> None:
        self.at_once([self.judge] * times)

    @rule()
    def look_around(self) -> None:
        self.tally("periodic pass")
        reconcile_due(limit=100, now=clock.now() + timedelta(hours=2))

    @rule(times=st.integers(1, 2))
    def handle_events(self, times: int) -> None:
        self.at_once([self.handle] * times)

    @rule()
    def mature(self) -> None:
        self.tally("maturity", mature_due(limit=100, now=clock.now() + LATER))

    @rule(times=st.integers(1, 3))
    def ask_for_a_payout(self, times: int) -> None:
        before = commission(affiliate_id=self.partner.id)
        open_before = PayoutRequest.objects.filter(affiliate=self.affiliate, status__in=PAYOUT_OPEN).exists()
        answers = self.at_once(
            [lambda: self.partner.post("/api/v1/affiliates/me/payout-requests", {}).status_code] * times
        )
        made = answers.count(201)
        assert made == (not open_before and before.available >= 50_000_000), (answers, before)
        assert set(answers) <= {201, 409}
        self.tally("payout asked", made)

    @precondition(lambda self: self.open_payout() is not None)
    @rule(
        action=st.sampled_from(["approve", "approve", "approve", "pay", "pay", "pay", "reject", "cancel"]),
        refund=st.booleans(),
        number=pick,
    )
    def decide(self, action: str, refund: bool, number: int) -> None:
        """One decision from two places at once, perhaps while a refund is heard of."""
        asked = self.open_payout()
        assert asked is not None
        if asked.status == "approved" and action == "approve":
            action = "pay"
        calls: list[Callable[[], Any]] = [lambda: self.decide_once(asked, action)] * 2
        if refund and self.events:
            event = self.events[number % len(self.events)]
            calls += [lambda: self.deliver_once(event), self.judge, self.handle]
        outcomes = self.at_once(calls)
        asked.refresh_from_db()
        assert outcomes[:2].count(True) <= 1
        if asked.status == "paid":
            self.tally("paid out")
            self.paid_out += asked.amount_micros

    @rule()
    def let_everything_settle(self) -> None:
        """All that was said is delivered, judged and handled; then the books must be what arithmetic says."""
        self.tally("settlement")
        for event in self.events[self.delivered :]:
            self.deliver_once(event)
        self.delivered = len(self.events)
        while ProviderEvent.objects.filter(status="received").exists():
            self.judge()
        self.handle()
        assert not OutboxEvent.objects.exists()
        for buyer in self.buyers:
            found = balance(account_id=buyer.customer.id)
            assert (found.available - found.receivable, found.held) == (buyer.net, buyer.held)
        found = commission(affiliate_id=self.partner.id)
        earned = sum(
            self.share(sale) for buyer in self.buyers if buyer.referred for sale in buyer.sales if sale.payment_intent
        )
        assert found.pending + found.available + found.reserved == earned - self.paid_out
        assert audit() == []

    def teardown(self) -> None:
        if hasattr(self, "buyers"):
            self.let_everything_settle()

    # What holds at any time -------------------------------------------------------------------------------

    @invariant()
    def each_sale_is_credited_at_most_once(self) -> None:
        type(self).steps += 1
        for buyer in self.buyers:
            paid = {sale.session_id for sale in buyer.sales if sale.payment_intent}
            deposits = list(Deposit.objects.filter(account_id=buyer.customer.id))
            assert len(deposits) <= len(paid)
            references = [f"deposit:{deposit.pk}:paid" for deposit in deposits]
            credited = Transfer.objects.filter(reference__in=references, kind__in=("deposit", "repayment"))
            assert sum(transfer.amount for transfer in credited) == sum(one.amount_micros for one in deposits)

    @invariant()
    def nobody_has_money_and_debt_at_once(self) -> None:
        for buyer in self.buyers:
            found = balance(account_id=buyer.customer.id)
            assert min(found.available, found.held, found.receivable) >= 0
            assert not (found.available and found.receivable)
            assert found.held == buyer.held

    @invariant()
    def what_is_reserved_is_asked_for(self) -> None:
        found = commission(affiliate_id=self.partner.id)
        open_ones = list(PayoutRequest.objects.filter(affiliate=self.affiliate, status__in=PAYOUT_OPEN))
        assert len(open_ones) <= 1
        assert found.reserved == sum(asked.amount_micros for asked in open_ones)
        earned = Commission.objects.filter(affiliate=self.affiliate)
        total = sum(one.amount_micros - one.clawed_back_micros for one in earned)
        assert found.pending + found.available + found.reserved == total - self.paid_out

    @invariant()
    def the_house_and_its_people_are_zero_together(self) -> None:
        assert trial_balance().total == 0
        assert not DeadEvent.objects.exists()

    # ------------------------------------------------------------------------------------------------------

    def any_sale(self, fits: Callable[[Sale], bool]) -> bool:
        return any(fits(sale) for buyer in self.buyers for sale in buyer.sales)

    def open_payout(self) -> PayoutRequest | None:
        return PayoutRequest.objects.filter(affiliate=self.affiliate, status__in=PAYOUT_OPEN).first()

    def sale(self, index: int, number: int, fits: Callable[[Sale], bool]) -> Sale | None:
        buyers = self.buyers[index:] + self.buyers[:index]
        fitting = next((found for buyer in buyers if (found := [sale for sale in buyer.sales if fits(sale)])), [])
        return fitting[number % len(fitting)] if fitting else None

    def share(self, sale: Sale) -> int:
        return sale.left * CENT * BASIS_POINTS // 10_000

    def listen(self) -> None:
        """Note the events that Stripe made of what just happened."""
        for event in self.sandboxes.stripe.store.newest("stripe.event", limit=6):
            if event["id"] not in self.known:
                self.known.add(event["id"])
                self.events.append(event["id"])

    def deliver_once(self, event: str) -> int:
        body, headers = self.sandboxes.stripe.message(event)
        answer = Client().post(
            "/api/v1/webhooks/stripe",
            body,
            content_type="application/json",
            headers={"Stripe-Signature": headers["Stripe-Signature"]},
        )
        assert answer.status_code == 200, answer.content
        return answer.status_code

    def claim_once(self, sale: Sale) -> int:
        owner = next(buyer for buyer in self.buyers if sale in buyer.sales)
        answer = owner.customer.post("/api/v1/claim/stripe", {"sessionId": sale.session_id})
        assert answer.status_code == (200 if sale.payment_intent else 409), answer.content
        return int(answer.status_code)

    def judge(self) -> int:
        return process_due_events(limit=100, now=clock.now() + LATER)

    def handle(self) -> int:
        return handle_due(limit=1000, now=clock.now() + LATER)

    def decide_once(self, asked: PayoutRequest, action: str) -> bool:
        if action == "cancel":
            return bool(self.partner.post("/api/v1/affiliates/me/payout-requests/cancel", {}).status_code == 200)
        try:
            decide_payout(
                payout_id=asked.pk,
                action=action,  # type: ignore[arg-type]  # one of the three
                actor_id=self.operator,
                reason="as agreed",
                payment_reference="wire 1" if action == "pay" else "",
                now=clock.now(),
            )
        except InvalidState:
            return False
        return True

    def at_once(self, calls: list[Callable[[], Any]]) -> list[Any]:
        """In threads; what each returned. Anything raised there is raised here."""
        outcomes = race(calls) if len(calls) > 1 else [(calls[0](), None)]
        for _, error in outcomes:
            if error is not None:
                raise error
        return [result for result, _ in outcomes]

    def _bind(self, index: int) -> bool:
        account_id = self.buyers[index].customer.id
        outcome = bind_explicit(account_id=account_id, code=self.code, now=clock.now())
        assert outcome.applied == (outcome.reason == "applied")
        bound = Attribution.objects.filter(account_id=account_id, affiliate=self.affiliate).exists()
        assert bound == (outcome.applied or self.buyers[index].referred)
        return outcome.applied

    def tally(self, name: str, amount: int = 1) -> None:
        self.tallies[name] = self.tallies.get(name, 0) + amount
