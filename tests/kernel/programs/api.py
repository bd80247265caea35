import asyncio

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/slow")
async def slow():
    await asyncio.sleep(1.2)
    return PlainTextResponse("ok\n")
