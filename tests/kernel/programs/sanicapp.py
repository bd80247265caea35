import asyncio

from sanic import Sanic, text

app = Sanic("shop")


@app.get("/slow")
async def slow(request):
    await asyncio.sleep(1.2)
    return text("ok\n")
