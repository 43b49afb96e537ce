"""What `heimdall doctor` looks at: one module a subject, each a function from a request to findings."""
