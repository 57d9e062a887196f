"""The static site: pages, data and feeds made from the registry at one sequence number."""
