"""The project's own measurements against its peers: one module, one `command`, each."""
