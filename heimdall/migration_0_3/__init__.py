"""What earlier releases left on a machine, and how it comes over: one module a kind of thing."""
