"""What an operator is asked before anything is done about a payment."""

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from core.desk import Question, ReasonForm

REPLAY = Question(
    title="Judge events again",
    sentence="What each event is about is read from the provider once more, and only what is missing is posted: "
    "nothing is credited or taken twice.",
    button="Judge again",
    form=forms.Form,
)


class TransactionForm(ReasonForm):
    """Which transaction moved the money, and why it is believed."""

    transaction = forms.CharField(
        label="Transaction hash",
        max_length=66,
        widget=UnfoldAdminTextInputWidget(),
        help_text="0x and 64 hexadecimal digits, as the chain's explorer shows it.",
    )
    field_order = ("transaction", "reason")


CREDIT = Question(
    title="Credit x402 payment",
    sentence="You have seen on the chain that this authorisation moved the money to our address. The account is "
    "credited with the full amount, once.",
    button="Credit",
    form=TransactionForm,
)
GIVE_UP = Question(
    title="Give x402 payment up",
    sentence="You have seen on the chain that this authorisation was not used and cannot be any more. Nothing is "
    "credited, for good.",
    button="Give up",
    dangerous=True,
)


class CentsForm(ReasonForm):
    """How much of what came is credited, and why."""

    cents = forms.IntegerField(
        label="US cents",
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="At most what the provider has received; it is asked once more.",
    )
    field_order = ("cents", "reason")


CREDIT_RECEIVED = Question(
    title="Credit what came",
    sentence="The account is credited with this part of what the provider has received for this purchase, once. "
    "Later refunds and disputes are taken from it as from every deposit.",
    button="Credit",
    form=CentsForm,
)
CLOSE = Question(
    title="Close purchase",
    sentence="Nothing is credited. Money that the provider has for it is returned there. If the provider comes to say "
    "that exactly the agreed price was paid, it is credited all the same.",
    button="Close",
    dangerous=True,
)
DISMISS = Question(
    title="Close event",
    sentence="You have seen to what this flagged event tells of. Nothing is posted for it.",
    button="Close",
)
