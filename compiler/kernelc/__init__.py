"""The kernel C front end."""
