"""Puts heimdall's MCP server into the configuration files of AI coding assistants, and takes it out again."""
