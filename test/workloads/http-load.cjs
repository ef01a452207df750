// Asks again and again, without pause, until it is told to end, and prints what it got: URL CONNECTIONS keep-alive|close [Host]
const http = require('node:http')
const [url, connections, mode, host] = process.argv.slice(2)
const agent = new http.Agent({ keepAlive: mode === 'keep-alive', maxSockets: Number(connections) })
const result = { requests: 0, answers: {}, failures: [] }
let ended = false

const ask = () =>
  new Promise((resolve) => {
    const request = http.get(url, { agent, timeout: 5000, headers: host ? { host } : {} }, (response) => {
      let body = ''
      response.on('data', (text) => {
        body += text
      })
      response.on('end', () => {
        if (response.statusCode !== 200) result.failures.push(`status ${response.statusCode}`)
        else result.answers[body] = (result.answers[body] ?? 0) + 1
        resolve()
      })
      response.on('error', (error) => resolve(result.failures.push(`answer: ${error.code}`)))
    })
    request.on('timeout', () => request.destroy(new Error('timeout')))
    request.on('error', (error) => resolve(result.failures.push(error.code ?? error.message)))
  })

const work = async () => {
  while (!ended) {
    result.requests++
    await ask()
    // A pause of 5 ms keeps the load from being all that the machine does.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
process.stdin.on('end', () => process.exit(1))
process.stdin.on('data', () => {
  ended = true
})
process.on('SIGTERM', () => {
  ended = true
})
Promise.all(Array.from({ length: Number(connections) }, work)).then(() => {
  console.log(JSON.stringify({ ...result, failed: result.failures.length, failures: result.failures.slice(0, 20) }))
  process.exit(0)
})
