"""Where bytes come from and go to: memory, files, devices and pipes, whatever the bytes mean."""
