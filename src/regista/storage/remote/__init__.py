"""Object stores: S3, Google Cloud Storage and Azure Blob as Stores, through obstore.

`location.py` reads a URI, `client.py` makes the client with the cloud's own credentials,
`failures.py` puts what goes wrong into words, `cache.py` keeps immutable files at hand, and
`store.py` is the Store. Nothing here is imported unless a registry lies in an object store.
"""
