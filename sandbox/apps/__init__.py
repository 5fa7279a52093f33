"""What exists: records, the protocols that keep them, and where they are kept. Knows neither HTTP nor the agent."""
