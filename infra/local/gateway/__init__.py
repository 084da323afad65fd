"""Every function behind one address, as the load balancer and the event triggers stand before them in the cloud."""
