"""How much there is, and every movement that made it so."""
