from werkzeug.serving import run_simple
from wsgi import app

if __name__ == "__main__":
    run_simple("0.0.0.0", 8000, app, threaded=True)
