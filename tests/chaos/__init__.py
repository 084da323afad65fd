"""The backbone under load while everything around it breaks: `make chaos`."""
