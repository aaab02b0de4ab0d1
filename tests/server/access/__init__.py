"""Tests of who may ask the API."""
