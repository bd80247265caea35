"""What templates become: charts and overlays as the manifests they render to, each with the places it comes from.

Nothing here runs a command or asks a cluster or a registry.
"""
