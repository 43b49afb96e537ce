"""What all parts of the memory share: configuration."""
