"""Sortie: background jobs on AWS primitives."""
