"""The pages, one module per family. Each yields paths with their bytes; none reads or writes."""
