"""How a host takes Keyrack in: the routes it declares, and the errors it raises."""
