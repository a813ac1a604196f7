"""What every room's pages at the operator's desk are made of: rows to look at, and a question before anything is done.

Nothing is edited there. What an operator does is a service's work: an action shows a page that says what will happen,
asks for a reason, and calls the service when the form comes back. Each is noted in the admin's own history.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold import decorators
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminTextareaWidget

from core import ids
from core.errors import ApiError

MOST_AT_ONCE = 100
"""So many rows one bulk action takes."""
LONGEST_REASON = 500
OWNERS = frozenset({"account__id__exact", "account_id__exact", "user__id__exact"})
"""How the page of an account links to the account's rows in other tables."""

Answers = dict[str, Any]
"""What a question's form was filled in with."""
_Method = TypeVar("_Method", bound=Callable[..., Any])


def display(
    *, description: str, ordering: str | None = None, label: Mapping[str, str] | None = None
) -> Callable[[_Method], _Method]:
    """A column or field that is worked out; `label` colours its values. unfold's decorator, with its types."""
    decorate: Callable[[_Method], _Method] = decorators.display(
        description=description, ordering=ordering, label=dict(label) if label else None
    )
    return decorate


def action(*, description: str, permissions: Sequence[str], icon: str) -> Callable[[_Method], _Method]:
    """A button on a row's page, for whom `has_<permission>_permission` says so. unfold's decorator, with its types."""
    decorate: Callable[[_Method], _Method] = decorators.action(
        description=description, permissions=permissions, icon=icon
    )
    return decorate


class ReadOnly:
    """Nothing can be added, changed or deleted in the admin: services do that, with their rules. Superusers too."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class ReasonForm(forms.Form):
    """Why it is done: kept with what was done."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept for good. Write what a colleague needs to understand it later.",
    )


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked before something is done."""

    title: str
    sentence: str
    """What will happen, and what will not."""
    button: str
    form: type[forms.Form] = ReasonForm
    dangerous: bool = False


class DeskAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """A table to look at."""

    list_per_page = 50
    show_full_result_count = False
    list_disable_select_all = True
    list_filter_submit = False
    list_fullwidth = True
    compressed_fields = True
    id_prefix: ClassVar[str | None] = None
    """What this table's ids start with where people see them; a search for such an id finds its row."""

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        """As ever; a public id or a bare UUID finds its row."""
        wanted = self._id_in(search_term.strip())
        if wanted is not None:
            return queryset.filter(pk=wanted), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def _id_in(self, term: str) -> UUID | None:
        if self.id_prefix is None:
            return None
        try:
            return UUID(term)
        except ValueError:
            return ids.decode(self.id_prefix, term)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what this table's filters and the desk's own links ask for.

        Django lets an address filter by any column: whoever may see the table could guess a password's or a key's
        digest letter by letter.
        """
        filters = self.list_filter if request is None else self.get_list_filter(request)
        return lookup in OWNERS or any(lookup in _lookups_of(wanted) for wanted in filters)

    def ask(
        self,
        request: HttpRequest,
        object_id: str,
        question: Question,
        do: Callable[[Any, Answers], str],
    ) -> HttpResponse:
        """Ask about one row; once the answer is in, `do` it. `do` returns the sentence that tells of it.

        A refusal (`ApiError`) is shown on the same page, and nothing is noted.
        """
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        form = question.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                sentence = do(row, form.cleaned_data)
            except ApiError as refusal:
                form.add_error(None, refusal_sentence(refusal))
            else:
                self.note(request, row, question, form.cleaned_data)
                self.message_user(request, sentence, messages.SUCCESS)
                return redirect(self.page_of(row))
        return self._question_page(request, question, form, [row], back=self.page_of(row))

    def ask_for_all(
        self,
        request: HttpRequest,
        queryset: "QuerySet[Any]",
        action: str,
        question: Question,
        do: Callable[[Any, Answers], str],
    ) -> HttpResponse | None:
        """Ask once about the chosen rows, then `do` each on its own: one that is refused holds up no other."""
        rows = list(queryset[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            self.message_user(request, f"Choose at most {MOST_AT_ONCE} rows.", messages.ERROR)
            return None
        form = question.form(request.POST if "confirmed" in request.POST else None)
        if "confirmed" not in request.POST or not form.is_valid():
            back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return self._question_page(request, question, form, rows, back=back, action=action)
        done = 0
        for row in rows:
            try:
                do(row, form.cleaned_data)
            except ApiError as refusal:
                self.message_user(request, f"{row}: {refusal_sentence(refusal)}", messages.ERROR)
            else:
                self.note(request, row, question, form.cleaned_data)
                done += 1
        if done:
            self.message_user(request, f"{question.title}: done for {done} of {len(rows)}.", messages.SUCCESS)
        return None

    def note(self, request: HttpRequest, row: Model, question: Question, answers: Answers) -> None:
        """Keep who did it and why, in the admin's history of the row."""
        said = [str(answers[name]) for name in ("reason", "note", "payment_reference") if answers.get(name)]
        self.log_change(request, row, ": ".join([question.title, *said]))

    def page_of(self, row: Model) -> str:
        """The row's own page."""
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])

    def _question_page(
        self,
        request: HttpRequest,
        question: Question,
        form: forms.Form,
        rows: Iterable[Model],
        *,
        back: str,
        action: str = "",
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            "desk/question.html",
            {
                **self.admin_site.each_context(request),
                "title": question.title,
                "opts": self.opts,
                "question": question,
                "form": form,
                "rows": rows,
                "back": back,
                "action": action,
                "checkbox": helpers.ACTION_CHECKBOX_NAME,
            },
            status=400 if form.is_bound and form.errors else 200,
        )


class BigTableAdmin(DeskAdmin):
    """A table too long to be counted: pages are turned without a total."""

    paginator = InfinitePaginator
    list_per_page = 50


class DeskInline(ReadOnly, TabularInline):  # type: ignore[misc]  # unfold has no types
    """Rows that belong to another, below it."""

    extra = 0
    max_num = 0
    hide_title = True
    show_change_link = False
    per_page = 50
    ordering: ClassVar[Sequence[str]] = ("-pk",)


def one_of(field: str, values: Sequence[str]) -> type[admin.SimpleListFilter]:
    """A filter by a column whose values are known: Django would look through the whole table for them."""

    class OneOf(admin.SimpleListFilter):
        """The rows with one value."""

        title = field.replace("_", " ")
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            """All there can be."""
            return [(value, value) for value in values]

        def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
            """Those with the chosen value."""
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return OneOf


def _lookups_of(wanted: Any) -> set[str]:
    """What a member of `list_filter` puts into an address."""
    if isinstance(wanted, type) and issubclass(wanted, admin.SimpleListFilter):
        name = str(wanted.parameter_name)
        return {name, f"{name}__in"}
    name = wanted if isinstance(wanted, str) else wanted[0]
    return {name, f"{name}__exact", f"{name}__isnull", f"{name}__isempty"}


def refusal_sentence(refusal: ApiError) -> str:
    """What an operator is told of a service's refusal."""
    fields = refusal.details.get("fields") or {}
    more = "; ".join(f"{name}: {value}" for name, value in (fields or refusal.details).items())
    return f"{refusal.message} ({more})" if more and not fields else refusal.message


def staff_id(request: HttpRequest) -> UUID:
    """The account of the member of staff who asks: the actor of what a service is told to do."""
    actor: UUID = request.user.pk  # type: ignore[assignment]  # nobody signed out gets to a page of the desk
    return actor
