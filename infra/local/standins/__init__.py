"""What every stand-in has: a server on loopback, a life as a process of its own, and trouble on demand."""
