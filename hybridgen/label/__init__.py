"""The label room: how confidential each piece of text is, and why."""

from hybridgen.label.text import label_text

__all__ = ["label_text"]
