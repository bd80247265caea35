// Ends cleanly on SIGTERM and SIGINT, and takes half a second for it.
const http = require("node:http");

const server = http.createServer((request, response) => response.end("ok\n"));

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    server.close(() => {
      setTimeout(() => {
        console.log("cleanup done");
        process.exit(0);
      }, 500);
    });
  });
}

server.listen(8000, () => console.log("ready"));
