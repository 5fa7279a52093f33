"""HTTP, and only here: the router, the pipeline of checks, events, the guard. Knows nothing of what is kept or said."""
