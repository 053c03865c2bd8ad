"""Trials: whatever dies, a campaign ends as the undisturbed one does, nothing doubled, every undo done."""
