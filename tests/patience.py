"""How long a test waits for what must come."""

# Long enough for a machine with much else to do: whoever waits goes on the moment that it is there.
PATIENCE_S = 300.0
