"""The only room that reaches a network: a process of its own, which gets cleared text and a key.

The broker's end (``courier``, ``process``, ``failures``, ``setup``) never imports an HTTP client
or an SDK; those live in the child's modules (``child``, ``genai``, ``generativeai``, ``onprem``,
``http``) and are imported there, at the first send.
"""

from hybridgen.courier.courier import Courier
from hybridgen.courier.setup import Answer, Setup

__all__ = ["Answer", "Courier", "Setup"]
