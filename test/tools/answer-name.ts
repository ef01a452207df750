/** A server for network tests: `answer-name.ts NAME [HTTP-PORT [UDP-PORT]]` answers its name and who asked. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'

const [name = 'nobody', httpPort = '8080', udpPort = '8081'] = process.argv.slice(2)
const address = (text: string | undefined) => text?.replace('::ffff:', '')

const http = createServer((request, response) => {
  const body = JSON.stringify({ name, from: address(request.socket.remoteAddress), url: request.url, headers: request.headers })
  if (request.url?.startsWith('/slow')) setTimeout(() => response.end(body), 300)
  else response.end(request.url === '/name' ? name : body)
})
const udp = createSocket('udp4')
udp.on('message', (_, from) => udp.send(`${name} ${from.address}`, from.port, from.address))
udp.bind(Number(udpPort), () => http.listen(Number(httpPort), () => console.log('listening')))

process.on('SIGTERM', () => {
  udp.close()
  http.close(() => process.exit(0))
})
