/** Steady load of real HTTP clients of every kind on one app, and all that went wrong for them. */
import { createHash, randomBytes } from 'node:crypto'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { openWebSocket } from './web-socket.ts'

export interface Load {
  /** What goes on now, to be told with what fails. */
  phase: string
  /** Ends everybody; answers with what they saw. */
  stop(): Promise<LoadResult>
}

export interface LoadResult {
  /** Whole answers by kind of client. */
  answered: Record<string, number>
  /** A line for each request that got no whole, right answer, and each stream that ended without goodbye. */
  failures: string[]
  /** Of each long-lived connection that was told goodbye: what it was, and when. */
  goodbyes: { kind: string; at: number }[]
}

interface Client {
  /** One request, checked; throws what is wrong with the answer. */
  turn(signal: AbortSignal): Promise<void>
  pauseMs: number
  close(): void
}

/** A machine that is busy answers late; what takes longer than this is lost. */
const answerWithinMs = 30_000

export function startLoad(port: number, host: string): Load {
  const over = new AbortController()
  const result: LoadResult = { answered: {}, failures: [], goodbyes: [] }
  const begun = Date.now()
  const load: Load = {
    phase: 'begin',
    async stop() {
      over.abort()
      await Promise.all(running)
      return result
    },
  }
  const bye = (kind: string) => void result.goodbyes.push({ kind, at: Date.now() })
  const kinds: Record<string, (() => Client)[]> = {
    'keep-alive': times(6, () => plain(port, host, true)),
    'one by one': times(2, () => plain(port, host, false)),
    slow: times(3, () => slow(port, host)),
    upload: times(3, () => upload(port, host)),
    WebSocket: times(3, () => webSocket(port, host, () => bye('WebSocket'))),
    events: times(3, () => events(port, host, () => bye('events'))),
  }

  async function run(kind: string, client: Client): Promise<void> {
    while (!over.signal.aborted) {
      try {
        await client.turn(over.signal)
        result.answered[kind] = (result.answered[kind] ?? 0) + 1
      } catch (error) {
        if (over.signal.aborted && kind !== 'keep-alive') break
        const seconds = ((Date.now() - begun) / 1_000).toFixed(2)
        result.failures.push(
          `${seconds} s, ${load.phase}, ${kind}: ${error instanceof Error ? error.message : error}`,
        )
      }
      await sleep(client.pauseMs)
    }
    client.close()
  }
  const running = Object.entries(kinds).flatMap(([kind, clients]) => clients.map((make) => run(kind, make())))
  return load
}

function times<T>(count: number, make: () => T): (() => T)[] {
  return Array.from({ length: count }, () => make)
}

function plain(port: number, host: string, keepAlive: boolean): Client {
  const agent = new Agent({ keepAlive, maxSockets: 1 })
  return {
    pauseMs: 20,
    async turn() {
      const { body } = await whole(request({ host: '127.0.0.1', port, agent, headers: { host } }))
      if (!/^v\d+$/.test(body.toString())) throw new Error(`the answer is ${body}`)
    },
    close: () => agent.destroy(),
  }
}

function slow(port: number, host: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    pauseMs: 50,
    async turn() {
      const { body } = await whole(
        request({ host: '127.0.0.1', port, path: '/slow?ms=600', agent, headers: { host } }),
      )
      if (body.length !== 10_000) throw new Error(`${body.length} bytes of 10000`)
    },
    close: () => agent.destroy(),
  }
}

/** Half a megabyte in ten pieces, by POST: nobody may send it twice. */
function upload(port: number, host: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    pauseMs: 50,
    async turn() {
      const content = randomBytes(500_000)
      const sent = request({
        host: '127.0.0.1',
        port,
        path: '/upload',
        method: 'POST',
        agent,
        headers: { host },
      })
      const answer = whole(sent, false)
      for (let at = 0; at < content.length; at += 50_000) {
        sent.write(content.subarray(at, at + 50_000))
        await Promise.race([sleep(30), answer.catch(() => undefined)])
      }
      sent.end()
      const { body } = await answer
      if (body.toString() !== createHash('sha256').update(content).digest('hex'))
        throw new Error('not what was sent')
    },
    close: () => agent.destroy(),
  }
}

/** A turn lasts as long as the connection. */
function webSocket(port: number, host: string, bye: () => void): Client {
  return {
    pauseMs: 20,
    async turn(signal) {
      const socket = await openWebSocket(port, host)
      let code: number | null = null
      void socket.closed.then((given) => {
        code = given
      })
      for (let count = 0; code === null && !signal.aborted; count++) {
        const text = `message ${count}`
        const answer = await Promise.race([
          socket.echo(text),
          socket.closed,
          sleep(answerWithinMs, 'none', { ref: false }),
        ])
        if (typeof answer === 'number') break
        if (answer !== text) throw new Error(`"${text}" came back as "${answer}"`)
        await Promise.race([sleep(50), socket.closed])
      }
      socket.end()
      if (signal.aborted) return
      if ((await socket.closed) !== 1001)
        throw new Error(`closed with ${await socket.closed}, not told goodbye`)
      bye()
    },
    close() {},
  }
}

function events(port: number, host: string, bye: () => void): Client {
  return {
    pauseMs: 20,
    async turn(signal) {
      const sent = request({ host: '127.0.0.1', port, path: '/events', agent: false, headers: { host } })
      sent.end()
      const response = await answerOf(sent)
      let last = ''
      let heardAt = Date.now()
      let wasSilent = false
      const watch = setInterval(() => {
        wasSilent ||= Date.now() - heardAt > answerWithinMs
        if (signal.aborted || wasSilent) sent.destroy()
      }, 100)
      try {
        for await (const chunk of response) {
          last = String(chunk)
          heardAt = Date.now()
        }
      } catch (error) {
        if (!signal.aborted) throw new Error(`broken off after "${last}": ${error}`)
      } finally {
        clearInterval(watch)
      }
      if (signal.aborted) return
      if (wasSilent) throw new Error('nothing came any more')
      if (!last.includes('event: bye')) throw new Error(`ended after "${last}", without goodbye`)
      bye()
    },
    close() {},
  }
}

async function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  sent.on('response', resolve).on('error', reject)
  sent.setTimeout(answerWithinMs, () => sent.destroy(new Error(`silence for ${answerWithinMs} ms`)))
  const response = await promise
  if (response.statusCode !== 200) {
    response.resume()
    throw new Error(`status ${response.statusCode}`)
  }
  return response
}

async function whole(sent: ClientRequest, isWhole = true): Promise<{ body: Buffer }> {
  if (isWhole) sent.end()
  const response = await answerOf(sent)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { body: Buffer.concat(chunks) }
}
