"""Every setting, and the only place that knows where a value may come from.

Strongest first::

    command line
    environment        HYBRIDGEN_<KEY>
    config file        --config FILE|NAME, else HYBRIDGEN_CONFIG: what the user picked for this run
    project file       hybridgen.toml, else [tool.hybridgen] of pyproject.toml, in the root
    user file          config.toml in the user's configuration folder
    organisation file  /etc/hybridgen/config.toml: defaults for all users of this machine
    default

A project's file comes with the code, so it may have been written by anybody: what it may set
is an allow-list (:data:`PROJECT_KEYS`), and all else in it is an error. That holds for a config
file that lies in a project too. The user's own files may set everything that the organisation's
ceiling leaves open (``organisation.py``); variables nothing that opens a way out or makes files
looser, since a repository's ``.env`` sets variables too. Each value
keeps its source (:meth:`Settings.source_of`), and marks of labels are added up over all places
(:meth:`Settings.found`).

pydantic-settings could merge these places by itself, but not say afterwards which of them a
value came from, nor hold one of them to an allow-list: :func:`load_settings` does both, and
:class:`Settings` checks each value.
"""

from hybridgen.settings.allowed import PROJECT_KEYS
from hybridgen.settings.fields import USUAL_HEADERS, Settings, shown_key
from hybridgen.settings.found import Ceiling, Found
from hybridgen.settings.layers import (
    OTHER_VARIABLES,
    enclosing_folders,
    project_folder,
    project_root,
    ready_made_names,
    user_file,
)
from hybridgen.settings.load import load_settings, tightening_labels
from hybridgen.settings.organisation import organisation_file

__all__ = [
    "OTHER_VARIABLES",
    "PROJECT_KEYS",
    "USUAL_HEADERS",
    "Ceiling",
    "Found",
    "Settings",
    "enclosing_folders",
    "load_settings",
    "organisation_file",
    "project_folder",
    "project_root",
    "ready_made_names",
    "shown_key",
    "tightening_labels",
    "user_file",
]
