"""Kustomize overlays, built in place: bases, components, patches and the fields that transform what they bring."""
