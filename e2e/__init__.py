"""End-to-end tests: a real Label Studio, a real backend, and the story of a labelling project
between them.

    make e2e                                  everything
    make e2e LABEL_STUDIO=1.13.1              with another Label Studio than the newest tested one
    .ls-venv/bin/python -m e2e --list         names the scenarios
    .ls-venv/bin/python -m e2e text images    some of them

A scenario is a class whose steps run in the order they are written; the first step that fails ends
its scenario.
"""
