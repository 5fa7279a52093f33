"""Judge a client by its recorded requests: one pure function for each rule (docs/control.md, Verdict)."""
