import time

from flask import Flask

app = Flask(__name__)


@app.get("/slow")
def slow():
    time.sleep(1.2)
    return "ok\n"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=8000)
