"""Label Studio's screen in a headless Chromium, with every interactive backend behind it."""
