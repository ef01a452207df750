// A server that ends as it should: what is asked of it is answered, connections are closed with an answer.
const http = require('node:http')
let ending = false
const server = http.createServer((_request, response) => {
  if (ending) response.setHeader('connection', 'close')
  setTimeout(() => response.end(process.env.VERSION), 20)
})
server.keepAliveTimeout = 60_000
server.listen(8080)
process.on('SIGTERM', () => {
  ending = true
  // Node's close() cuts connections that wait, and a request may be on its way: those in use end with an answer first.
  setTimeout(() => server.close(() => process.exit(0)), 500)
})
