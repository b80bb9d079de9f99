"""Serves the model: `python _wsgi.py --help` lists the options; `_wsgi:app` is the app for a WSGI
server such as gunicorn.
"""

import os
import sys

from model import NewModel

from label_studio_ml.api import init_app

app = init_app(model_class=NewModel)

if __name__ == "__main__":
    from label_studio_ml.server import main

    sys.exit(
        main(
            ["label-studio-ml", "start", os.path.dirname(os.path.abspath(__file__)), *sys.argv[1:]]
        )
    )
