"""The model store: manifests, pull, verify, remove. It reaches a network and reads no project."""
