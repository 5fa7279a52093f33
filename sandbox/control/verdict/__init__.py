"""How a client behaved, judged by what the journal has of it: one pure function a rule."""
