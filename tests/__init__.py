"""Tests, in folders by what they promise: CONTRIBUTING.md says where a new one goes."""
