"""From words to a configuration."""
