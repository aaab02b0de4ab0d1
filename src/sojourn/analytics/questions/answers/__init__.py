"""Answers: what is said to each question, for programs and for whoever lays it out for people."""
