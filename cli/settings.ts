/** The home folder: settings that were chosen once, and the secrets. */
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { newId } from '../platform/model/ids.ts'
import { run } from './processes.ts'
import { CommandError } from './say.ts'

export const defaultPort = 7080
const defaultHttpsPort = 7443

const port = z.number().int().min(1).max(65_535)
const settingsSchema = z.object({
  port,
  /** 0: none. */
  httpsPort: port.or(z.literal(0)).optional(),
  domain: z.string().nullable(),
  /** Berth's own links are by HTTPS. */
  ownHttps: z.boolean().default(false),
  hostId: z.string(),
  webPort: port,
  createdAt: z.string(),
  /** The welcome app was deployed once: whoever deletes it does not get it back. */
  welcomed: z.boolean().default(false),
})

export type Settings = z.infer<typeof settingsSchema>

export interface HomeOptions {
  home?: string
  port?: number
  /** 0: none. */
  httpsPort?: number
  domain?: string
  ownHttps?: boolean
  /** Inner ports stay as they were chosen, whoever has them now: it may be Berth itself that runs. */
  keepPorts?: boolean
}

export function homeFolder(options: HomeOptions): string {
  return resolve(options.home ?? process.env.BERTH_HOME ?? '/var/lib/berth')
}

/** Null where no Berth was ever started. Throws when the file is not what it should be. */
export function readSettings(home: string): Settings | null {
  const path = join(home, 'settings.json')
  if (!existsSync(path)) return null
  try {
    accessSync(path, constants.R_OK)
  } catch {
    throw new CommandError(`${path} is root's alone: run this command as root (sudo).`)
  }
  try {
    return settingsSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new CommandError(
      `${path} can't be read as settings: put it right, or move it away to begin anew.`,
      { cause },
    )
  }
}

export function writeSettings(home: string, settings: Settings): void {
  writeFile(join(home, 'settings.json'), JSON.stringify(settings, null, 2))
}

function writeFile(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function mustHaveSettings(home: string): Settings {
  const settings = readSettings(home)
  if (settings) return settings
  throw new CommandError(`There is no Berth in ${home}: start one with \`berth up --home ${home}\`.`)
}

/** Makes the home folder, the settings and the secrets, as far as they are missing; options change settings. */
export async function prepareHome(home: string, options: HomeOptions): Promise<Settings> {
  try {
    mkdirSync(home, { recursive: true })
    // Apps' ids and PostgreSQL's user pass through; what is secret has modes of its own.
    chmodSync(home, 0o711)
    for (const name of ['run', 'logs', 'edge', 'registry', 'redis'])
      mkdirSync(join(home, name), { recursive: true, mode: 0o700 })
    mkdirSync(join(home, 'secrets'), { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new CommandError(`The home folder ${home} can't be made: ${(error as Error).message}`)
  }
  const before = readSettings(home)
  const publicPort = options.port ?? before?.port ?? defaultPort
  const settings: Settings = {
    port: publicPort,
    httpsPort: options.httpsPort ?? before?.httpsPort ?? (await usualHttpsPort(publicPort)),
    domain: options.domain === undefined ? (before?.domain ?? null) : options.domain || null,
    ownHttps: options.ownHttps ?? before?.ownHttps ?? false,
    hostId: before?.hostId ?? newId('host'),
    webPort: (options.keepPorts && before?.webPort) || (await usablePort(before?.webPort)),
    createdAt: before?.createdAt ?? new Date().toISOString(),
    welcomed: before?.welcomed ?? false,
  }
  if (settings.ownHttps && settings.httpsPort === 0)
    throw new CommandError('--own-https needs a port for HTTPS: leave `--https-port 0` away, or choose one.')
  writeSettings(home, settings)
  await makeSecrets(join(home, 'secrets'))
  return settings
}

/** Beside 80 is 443, beside 7080 is 7443; another one where that is taken or the public port was chosen. */
async function usualHttpsPort(publicPort: number): Promise<number> {
  if (publicPort === 80) return 443
  return publicPort === defaultPort && (await isFree(defaultHttpsPort, '0.0.0.0'))
    ? defaultHttpsPort
    : freePort()
}

/** The port that was used before, if it is free; otherwise another. Inner ports are nobody's habit. */
async function usablePort(before: number | undefined): Promise<number> {
  return before !== undefined && (await isFree(before, '127.0.0.1')) ? before : freePort()
}

/** A port of the loopback address that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address
          ? resolve(address.port)
          : reject(new CommandError('no port is free')),
      )
    })
  })
}

export function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}

async function makeSecrets(folder: string): Promise<void> {
  const make = (name: string, content: () => string) => {
    if (!existsSync(join(folder, name))) writeFile(join(folder, name), content())
  }
  const random = () => randomBytes(32).toString('base64url')
  make('master.key', () =>
    JSON.stringify({ current: 'k1', keys: { k1: randomBytes(32).toString('base64') } }),
  )
  for (const name of [
    'auth.secret',
    'operator.token',
    'redis.password',
    'postgres.password',
    'registry.http-secret',
    'registry.notify-secret',
  ])
    make(name, random)
  const key = join(folder, 'registry.key.pem')
  const certificate = join(folder, 'registry.cert.pem')
  if (existsSync(key) && existsSync(certificate)) return
  await run(
    [
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '7300',
    ].concat(['-subj', '/CN=berth', '-keyout', key, '-out', certificate]),
  )
  chmodSync(key, 0o600)
}

export function readSecret(home: string, name: string): string {
  return readFileSync(join(home, 'secrets', name), 'utf8').trim()
}

export function redisSocket(home: string): string {
  return join(home, 'redis', 'redis.sock')
}

/** What every part is told. */
export function partEnvironment(home: string, settings: Settings): Record<string, string> {
  const password = encodeURIComponent(readSecret(home, 'postgres.password'))
  const socket = encodeURIComponent(join(home, 'postgres', 'socket'))
  return {
    NODE_ENV: 'production',
    PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    BERTH_HOME: home,
    BERTH_PORT: String(settings.port),
    BERTH_HTTPS_PORT: settings.httpsPort ? String(settings.httpsPort) : '',
    BERTH_DOMAIN: settings.domain ?? '',
    BERTH_OWN_HTTPS: settings.ownHttps ? 'yes' : '',
    BERTH_WEB_PORT: String(settings.webPort),
    BERTH_HOST_ID: settings.hostId,
    DATABASE_URL: `postgresql://berth:${password}@localhost/berth?host=${socket}`,
    REDIS_URL: `unix://${redisSocket(home)}?password=${encodeURIComponent(readSecret(home, 'redis.password'))}`,
    ...given('BERTH_LOG_LEVEL', 'BERTH_PRIVATE_HOSTS', 'BERTH_DNS_SERVERS', 'BERTH_BUILD_IMAGES'),
    ...given('BERTH_PORTS', 'NODE_COMPILE_CACHE'),
    ...given('BERTH_TERMINAL_IDLE_MINUTES', 'BERTH_TERMINAL_MAX_MINUTES'),
    ...proxies(),
  }
}

/** For requests to other registries; in either spelling. */
function proxies(): Record<string, string> {
  return given(...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]))
}

/** Those of the variables that `berth up` was started with. */
function given(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}
