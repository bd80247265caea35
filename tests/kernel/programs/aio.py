import asyncio

from aiohttp import web


async def slow(request):
    await asyncio.sleep(1.2)
    return web.Response(text="ok\n")


app = web.Application()
app.router.add_get("/slow", slow)
web.run_app(app, port=8000)
