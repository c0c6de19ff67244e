"""Finds secrets in text: in what is about to be sent, and in tests before they are written."""

from hybridgen.secretscan.scan import Secret, find_secrets, secret_in
from hybridgen.secretscan.views import decoded

__all__ = ["Secret", "decoded", "find_secrets", "secret_in"]
