"""The project as a whole: what is installed, imported, documented and measured."""
