"""Finds secrets in text: in what is about to be sent, and in tests before they are written."""

from hybridgen.secretscan.scan import Secret, find_secrets, secret_in

__all__ = ["Secret", "find_secrets", "secret_in"]
