"""The front page counts its visits and signs a receipt for each."""

from django.core import signing
from django.http import HttpRequest, JsonResponse

from .models import Visit


def visit(request: HttpRequest) -> JsonResponse:
    """Counts this visit, and signs the receipt with the secret key."""
    number = Visit.objects.create().pk
    return JsonResponse({"visit": number, "receipt": signing.dumps(number, salt="receipt")})
