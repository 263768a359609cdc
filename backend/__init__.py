"""The governed backend service that decides, archives, then delivers.

It never imports the client and never delivers what is not archived.
"""
