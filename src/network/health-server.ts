import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from '../machinery/node-http.ts'

/** Undefined status: 200. */
interface Answer {
  status?: number
  type?: string
  body: string
}

/** A page of a component's own small server. */
export type Page = () => Answer | Promise<Answer>

export interface ListenAddress {
  host: string
  /** 0: any free one. */
  port: number
}

/** Serves `/healthz`, `/metrics` and the like, for people and probes. */
export async function startHealthServer({ host, port }: ListenAddress, pages: Record<string, Page>): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const page = pages[request.url?.split('?')[0] ?? '']
    Promise.resolve(page?.() ?? { status: 404, body: '404 page not found\n' }).then(
      ({ status = 200, type = 'text/plain; charset=utf-8', body }) => void response.writeHead(status, { 'content-type': type }).end(body),
      () => void response.writeHead(500).end(),
    )
  })
  await listening(server, host, port)
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
