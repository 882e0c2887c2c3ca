"""The routes of requests."""

from django.contrib import admin
from django.urls import path

from visits.views import visit

urlpatterns = [
    path("", visit),
    path("admin/", admin.site.urls),
]
