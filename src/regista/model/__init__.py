"""The vocabulary: values, names, formats. Pure; everything above imports it."""
