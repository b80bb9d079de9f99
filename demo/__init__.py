"""A Label Studio to click through: a sample project with a text classifier already connected and
trained.
"""
