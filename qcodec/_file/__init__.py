"""Files of tensors: safetensors headers, packs and directories, read and written."""
