"""What people type."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.addresses import normal_address

_DIGITS = re.compile(r"[0-9]{6}")
_LONGEST_LABEL = 64
_LONGEST_USER_CODE = 20


class AddressForm(forms.Form):
    """The address to mail a code to."""

    email = forms.CharField(max_length=400, error_messages={"required": "Enter your email address."})

    def clean_email(self) -> str:
        """The address in its normal form."""
        try:
            return normal_address(self.cleaned_data["email"])
        except ValueError as error:
            raise ValidationError(f"The address {error}.") from None


class CodeForm(forms.Form):
    """The mailed code; spaces do not matter."""

    code = forms.CharField(max_length=40, error_messages={"required": "Enter the six digits from the mail."})

    def clean_code(self) -> str:
        """Exactly six ASCII digits."""
        code = "".join(self.cleaned_data["code"].split())
        if not _DIGITS.fullmatch(code):
            raise ValidationError("The code has six digits.")
        return code


class UserCodeForm(forms.Form):
    """The code that a program shows."""

    code = forms.CharField(max_length=_LONGEST_USER_CODE, error_messages={"required": "Enter the code."})


class DecisionForm(UserCodeForm):
    """What a person decides about a device link."""

    decision = forms.ChoiceField(choices=[("approve", "approve"), ("deny", "deny")])
    label = forms.CharField(max_length=_LONGEST_LABEL, required=False)


def first_error(form: forms.Form) -> str:
    """The first sentence about what is wrong."""
    errors: dict[str, Any] = form.errors
    return str(next(iter(errors.values()))[0])
