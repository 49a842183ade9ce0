"""Tests, in folders by the promise that they check: CONTRIBUTING.md says where a new one goes."""
