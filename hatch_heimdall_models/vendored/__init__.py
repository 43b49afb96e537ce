"""The source of the file that `hatch-heimdall-models vendor` writes; see `hatch_heimdall_models.vendor`."""
