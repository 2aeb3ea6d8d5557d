"""Rate laws by family; each is a `Law`: a function of both sides, its parameters and its source."""
