import asyncio

import tornado.web


class Slow(tornado.web.RequestHandler):
    async def get(self):
        await asyncio.sleep(1.2)
        self.write("ok\n")


async def main():
    tornado.web.Application([("/slow", Slow)]).listen(8000)
    await asyncio.Event().wait()


asyncio.run(main())
