"""The C core by itself: C programs, other compilers, other machines."""
