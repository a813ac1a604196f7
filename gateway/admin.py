"""The one table whose page needs every room: accounts."""

from django.contrib import admin
from django.contrib.auth import get_user_model

from gateway.desk.accounts import AccountAdmin

admin.site.register(get_user_model(), AccountAdmin)
