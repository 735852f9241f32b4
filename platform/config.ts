import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { z } from 'zod'
import { abstractSocketName } from './abstract-socket.ts'
import { baseImageNames } from './builds/detect/source-view.ts'
import { imageReferenceSchema } from './model/app-settings.ts'
import { networkSchema } from './model/networks.ts'
import type { PortRange } from './model/ports.ts'
import { parseRedisUrl, type RedisAddress } from './redis-url.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const

export type LogLevel = (typeof logLevels)[number]

/** Everything that a part of Berth is told from outside. Printing it shows no secret. */
export interface Config {
  /** Folder that holds all state. */
  readonly home: string
  /** The edge's public port. */
  readonly port: number
  /** The edge's public port for HTTPS; null: it has none. */
  readonly httpsPort: number | null
  /** Null on a plain machine, where names end in .localhost. */
  readonly domain: string | null
  /** Such as http://localhost:7080: dashboard, API and registry. By HTTPS where the operator chose that. */
  readonly publicUrl: string
  /** First part of the names of images in Berth's own registry, such as localhost:7080. */
  readonly registryHost: string
  readonly webPort: number
  /**
   * Where the registry is reached on the host: a Unix socket in the abstract namespace, over which the edge carries a layer
   * faster than over the loopback device, and which no other program's port can stand in the way of.
   */
  readonly registrySocket: string
  /** Where the web app gives tokens for it: each push and pull waits for one, and Next.js would take longer than that. */
  readonly registryTokenSocket: string
  readonly hostId: string
  readonly databaseUrl: string
  readonly redis: RedisAddress
  readonly logLevel: LogLevel
  /** Proxies for requests to other registries, as HTTP_PROXY and its neighbours name them. */
  readonly proxy: { http?: string; https?: string; noProxy?: string }
  /** Names, addresses and networks off the Internet that people may have Berth ask: outgoing.ts. */
  readonly privateHosts: readonly string[]
  /** Base images of Dockerfiles that are made, by name, in place of their defaults. */
  readonly buildImages: Readonly<Record<string, string>>
  /** Name servers that are asked about people's domains; empty: those of this host. */
  readonly dnsServers: readonly string[]
  /** Ports of a host that apps may have beside HTTP; null: none. */
  readonly publishedPorts: PortRange | null
  /** How long a terminal may be open without a byte either way, and at all. */
  readonly terminal: { idleMs: number; wholeMs: number }
  /** Content of `<home>/secrets/<name>`, trimmed. Throws a sentence that names the file when it can't be read. */
  readSecret(name: string): string
}

/** Below those that the kernel gives to whoever asks for any. */
const usualPorts = '20000-29999'

const port = z.coerce.number('must be a port, 1–65535').int().min(1).max(65_535)

const minutes = z.coerce
  .number('must be minutes, 1–10080')
  .int('must be minutes, 1–10080')
  .min(1, 'must be minutes, 1–10080')
  .max(10_080, 'must be minutes, 1–10080')

const proxyUrl = z
  .union(
    [z.literal(''), z.url({ protocol: /^https?$/, error: 'must be an http:// address' })],
    'must be an http:// address',
  )
  .optional()

const environmentSchema = z.object({
  BERTH_HOME: z.string().startsWith('/', 'must be an absolute path').default('/var/lib/berth'),
  BERTH_PORT: port.default(7080),
  BERTH_HTTPS_PORT: z
    .union([z.literal('').transform(() => null), port], 'must be a port, 1–65535, or empty')
    .default(null),
  BERTH_OWN_HTTPS: z.enum(['', 'yes'], 'must be yes or empty').default(''),
  BERTH_DOMAIN: z
    .string()
    .regex(
      /^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+)?$/,
      'must be a domain name or empty',
    )
    .default(''),
  BERTH_WEB_PORT: port,
  BERTH_HOST_ID: z.string('is missing').regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be an id such as hst_…'),
  DATABASE_URL: z.string('is missing').regex(/^postgres(ql)?:\/\//, 'must start with postgresql://'),
  REDIS_URL: z
    .string('is missing')
    .regex(/^(rediss?|unix):\/\//, 'must start with redis://, rediss:// or unix://'),
  BERTH_LOG_LEVEL: z.enum(logLevels).default('info'),
  HTTP_PROXY: proxyUrl,
  HTTPS_PROXY: proxyUrl,
  NO_PROXY: z.string().optional(),
  BERTH_PRIVATE_HOSTS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .toLowerCase()
        .split(/[\s,]+/)
        .filter((entry) => entry !== ''),
    )
    .refine((entries) => entries.every(isPrivateHost), {
      error: 'must list names, addresses and networks, such as registry.internal, 10.1.0.0/16',
    }),
  BERTH_BUILD_IMAGES: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(/[\s,]+/)
        .filter((entry) => entry !== '')
        .map((entry): [name: string, reference: string] => {
          const [name = '', ...reference] = entry.split('=')
          return [name, reference.join('=')]
        }),
    )
    .refine((entries) => entries.every(isBaseImage), {
      error: `must list base images, such as node=registry.internal/node:{version}; names are ${baseImageNames.join(', ')}`,
    }),
  BERTH_DNS_SERVERS: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((entry) => entry !== ''))
    .refine((entries) => entries.every(isNameServer), {
      error: 'must list addresses of name servers, such as 1.1.1.1, 10.0.0.2:5353',
    }),
  BERTH_PORTS: z
    .string()
    .default('')
    .transform((text) => (text === '' ? usualPorts : text))
    .refine((text) => text === 'none' || parsePorts(text) !== null, {
      error: `must be a range of ports such as ${usualPorts}, or none`,
    })
    .transform(parsePorts),
  BERTH_TERMINAL_IDLE_MINUTES: minutes.default(30),
  BERTH_TERMINAL_MAX_MINUTES: minutes.default(480),
})

function parsePorts(text: string): PortRange | null {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text)?.map(Number) ?? []
  if (first === undefined || last === undefined || first < 1 || first > last || last > 65_535) return null
  return { first, last }
}

/** What becomes a part of a Dockerfile's line must be one word. */
function isBaseImage([name, reference]: [string, string]): boolean {
  return (
    baseImageNames.some((known) => known === name) &&
    imageReferenceSchema.safeParse(reference.replaceAll('{version}', '1')).success
  )
}

function isNameServer(entry: string): boolean {
  if (isIP(entry) !== 0) return true
  const [, v6, v4, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(entry) ?? []
  return isIP(v6 ?? v4 ?? '') === (v6 === undefined ? 4 : 6) && Number(port) > 0 && Number(port) < 65_536
}

function isPrivateHost(entry: string): boolean {
  return networkSchema.safeParse(entry).success || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(entry)
}

const checkedSchema = environmentSchema.refine(
  ({ BERTH_OWN_HTTPS, BERTH_HTTPS_PORT }) => BERTH_OWN_HTTPS === '' || BERTH_HTTPS_PORT !== null,
  { path: ['BERTH_OWN_HTTPS'], message: 'needs BERTH_HTTPS_PORT' },
)

type Environment = Record<string, string | undefined>

/** For what needs the database alone, such as migrations. Throws as loadConfig() does. */
export function loadDatabaseUrl(env: Environment = process.env): string {
  const parsed = environmentSchema.shape.DATABASE_URL.safeParse(env.DATABASE_URL)
  if (parsed.success) return parsed.data
  throw new Error(`The configuration is not right:\n  DATABASE_URL ${parsed.error.issues[0]?.message}`)
}

/**
 * Reads the configuration out of environment variables.
 * Throws one Error that lists every problem, each with its variable's name and never with its value.
 */
export function loadConfig(env: Environment = process.env): Config {
  const parsed = checkedSchema.safeParse(withProxies(env))
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')} ${issue.message}`)
    throw new Error(`The configuration is not right:\n${problems.join('\n')}`)
  }
  const values = parsed.data
  const domain = values.BERTH_DOMAIN === '' ? null : values.BERTH_DOMAIN
  const hostname = domain ?? 'localhost'
  const authority = `${hostname}${values.BERTH_PORT === 80 ? '' : `:${values.BERTH_PORT}`}`
  const shown = {
    home: values.BERTH_HOME,
    port: values.BERTH_PORT,
    httpsPort: values.BERTH_HTTPS_PORT,
    domain,
    publicUrl:
      (values.BERTH_OWN_HTTPS === 'yes'
        ? secureUrl({ httpsPort: values.BERTH_HTTPS_PORT }, hostname)
        : null) ?? `http://${authority}`,
    registryHost: authority,
    webPort: values.BERTH_WEB_PORT,
    registrySocket: abstractSocketName('registry', values.BERTH_HOME),
    registryTokenSocket: abstractSocketName('registry-token', values.BERTH_HOME),
    hostId: values.BERTH_HOST_ID,
    logLevel: values.BERTH_LOG_LEVEL,
  }
  return {
    ...shown,
    databaseUrl: values.DATABASE_URL,
    redis: parseRedisUrl(values.REDIS_URL),
    proxy: {
      http: values.HTTP_PROXY || undefined,
      https: values.HTTPS_PROXY || undefined,
      noProxy: values.NO_PROXY || undefined,
    },
    readSecret: (name) => readSecret(values.BERTH_HOME, name),
    privateHosts: values.BERTH_PRIVATE_HOSTS,
    buildImages: Object.fromEntries(values.BERTH_BUILD_IMAGES),
    dnsServers: values.BERTH_DNS_SERVERS,
    publishedPorts: values.BERTH_PORTS,
    terminal: {
      idleMs: values.BERTH_TERMINAL_IDLE_MINUTES * 60_000,
      wholeMs: values.BERTH_TERMINAL_MAX_MINUTES * 60_000,
    },
    // The addresses carry passwords: whoever prints the whole object sees none.
    ...{ toJSON: () => shown, [inspect.custom]: () => shown },
  }
}

/** Proxies are written in small letters as well, and then count first, as they do in curl. */
function withProxies(env: Environment): Environment {
  const { http_proxy: http, https_proxy: https, no_proxy: none } = env
  return {
    ...env,
    HTTP_PROXY: http ?? env.HTTP_PROXY,
    HTTPS_PROXY: https ?? env.HTTPS_PROXY,
    NO_PROXY: none ?? env.NO_PROXY,
  }
}

function readSecret(home: string, name: string): string {
  const path = join(home, 'secrets', name)
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    throw new Error(`The secret ${path} can't be read; \`berth up\` makes it.`, { cause })
  }
}

/** The same by HTTPS: https://shop.example.com. Null where the edge has no port for it. */
export function secureUrl({ httpsPort }: Pick<Config, 'httpsPort'>, hostname: string): string | null {
  if (httpsPort === null) return null
  return `https://${hostname}${httpsPort === 443 ? '' : `:${httpsPort}`}`
}

/** Where an app's name leads to: http://shop-acme.localhost:7080. */
export function appUrl(config: Pick<Config, 'port'>, hostname: string): string {
  return `http://${hostname}${config.port === 80 ? '' : `:${config.port}`}`
}
