"""Verification: is everything in the files what it was, and was every decision right?"""
