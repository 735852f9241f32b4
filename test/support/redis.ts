import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

export interface RedisServer {
  /** unix://…: database 0, where numbers for others are given out. */
  url: string
  /** SIGSTOP and SIGCONT: it hangs, and goes on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** By SIGKILL, as the kernel would. */
  kill(): Promise<void>
  /** After a kill: at the same address, with what it had on disk. */
  start(): Promise<void>
  close(): Promise<void>
}

const databases = 4_096

/** A real server on a unix socket, with nothing on disk unless it is to survive a kill. */
export async function startRedis({ durable = false } = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-test-redis-'))
  const path = join(folder, 'redis.sock')
  const settings = {
    port: '0',
    unixsocket: path,
    save: '',
    appendonly: durable ? 'yes' : 'no',
    databases: String(databases),
    dir: folder,
  }
  let server: ChildProcess

  async function start(): Promise<void> {
    server = spawn(
      'redis-server',
      Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
      { stdio: 'ignore' },
    )
    const exited = once(server, 'exit')
    const client = new Redis({ path, retryStrategy: () => 50, maxRetriesPerRequest: null })
    client.on('error', () => {})
    const answered = await Promise.race([client.ping(), exited.then(() => null)])
    client.disconnect()
    if (answered === null) throw new Error('redis-server ended at once; is it installed?')
  }

  async function end(name: NodeJS.Signals): Promise<void> {
    const exited = once(server, 'exit')
    if (server.kill(name)) await exited
  }

  await start()
  return {
    url: `unix://${path}`,
    signal: (name) => server.kill(name),
    kill: () => end('SIGKILL'),
    start,
    async close() {
      await end('SIGTERM')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface TestRedis {
  url: string
  clear(): Promise<void>
}

/** A numbered database of one's own, empty. */
export async function createRedisDatabase(serverUrl: string): Promise<TestRedis> {
  const path = new URL(serverUrl).pathname
  const counter = new Redis({ path })
  const db = ((await counter.incr('next-database')) % (databases - 1)) + 1
  counter.disconnect()
  const clear = async () => {
    const redis = new Redis({ path, db })
    await redis.flushdb()
    redis.disconnect()
  }
  await clear()
  return { url: `${serverUrl}?db=${db}`, clear }
}
