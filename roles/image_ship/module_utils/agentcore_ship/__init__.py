"""Moves releases: to hosts as the layers they lack, and to archives as verified bundles.

Runs on control hosts and, shipped by Ansible, on fleet hosts: standard library only, Python 3.9.
"""
