// Ends cleanly on SIGTERM alone, and takes half a second for it.
process.on("SIGTERM", () => {
  setTimeout(() => {
    console.log("cleanup done");
    process.exit(0);
  }, 500);
});

setInterval(() => {}, 1000);
console.log("ready");
