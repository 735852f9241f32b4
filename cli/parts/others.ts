/** Redis, the registry, the web app, the worker and the edge. */
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { askSocket } from '../../platform/abstract-socket.ts'
import { loadConfig } from '../../platform/config.ts'
import {
  registryEventsPath,
  registryIssuer,
  registryService,
  registryTokenPath,
} from '../../platform/model/registry.ts'
import { requestLogPath, requestLogVariable } from '../../platform/model/request-log.ts'
import { root } from '../processes.ts'
import { readSecret, redisSocket } from '../settings.ts'
import type { Part, PartContext } from './part.ts'

const usual = { readyWithinMs: 60_000, stopSignal: 'SIGTERM' as const, stopWithinMs: 10_000 }

async function expectHttp(url: string, isRight: (status: number) => boolean): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000), redirect: 'manual' })
  await response.body?.cancel()
  if (!isRight(response.status)) throw new Error(`${url} answered ${response.status}`)
}

/** Writes redis.conf; answers its path. */
export function writeRedisConfiguration(home: string): string {
  const file = join(home, 'redis', 'redis.conf')
  const lines = [
    'port 0',
    `unixsocket ${redisSocket(home)}`,
    'unixsocketperm 600',
    `requirepass ${readSecret(home, 'redis.password')}`,
    `dir ${join(home, 'redis')}`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'loglevel warning',
    // A queue that forgets jobs to make room is none.
    'maxmemory-policy noeviction',
  ]
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  return file
}

export function redisPart({ home, env }: PartContext): Part {
  const socket = redisSocket(home)
  const password = readSecret(home, 'redis.password')
  return {
    ...usual,
    name: 'redis',
    argv: ['redis-server', writeRedisConfiguration(home)],
    env,
    check: () =>
      new Promise((resolve, reject) => {
        const client = connect(socket, () => client.write(`AUTH ${password}\r\nPING\r\n`))
        let said = ''
        client.setTimeout(2_000, () => client.destroy(new Error('no answer')))
        client.on('data', (chunk) => {
          said += chunk
          if (said.includes('+PONG')) resolve()
          if (said.includes('+PONG') || said.includes('-')) client.destroy()
        })
        client.once('error', reject)
        client.once('close', () => reject(new Error(`Redis says ${said.trim()}`)))
      }),
  }
}

/** Writes the registry's config.yml; answers its path. */
export function writeRegistryConfiguration({ home, settings, env }: PartContext): string {
  const file = join(home, 'registry', 'config.yml')
  const config = loadConfig(env)
  const text = `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: ${join(home, 'registry', 'data')} }
  delete: { enabled: true }
http:
  net: unix
  addr: '@${config.registrySocket}'
  secret: ${readSecret(home, 'registry.http-secret')}
  relativeurls: true
auth:
  token:
    realm: ${config.publicUrl}${registryTokenPath}
    service: ${registryService}
    issuer: ${registryIssuer}
    rootcertbundle: ${join(home, 'secrets', 'registry.cert.pem')}
# No cache of what is stored where: it would go on saying that a layer is there that was collected.
notifications:
  endpoints:
    - name: berth
      url: http://127.0.0.1:${settings.webPort}${registryEventsPath}
      headers: { Authorization: ['Bearer ${readSecret(home, 'registry.notify-secret')}'] }
      timeout: 5s
      threshold: 5
      backoff: 2s
      # Layers: a manifest follows that names them.
      ignoredmediatypes: [application/octet-stream]
`
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

export function registryPart(context: PartContext): Part {
  return {
    ...usual,
    name: 'registry',
    argv: ['docker-registry', 'serve', writeRegistryConfiguration(context)],
    env: context.env,
    check: async () => {
      const answer = await askSocket(loadConfig(context.env).registrySocket, '/v2/', {
        signal: AbortSignal.timeout(5_000),
      })
      await answer.body?.cancel()
      if (answer.status !== 401) throw new Error(`the registry answered ${answer.status}`)
    },
  }
}

export function webPart({ settings, env }: PartContext): Part {
  return {
    ...usual,
    name: 'web',
    argv: [
      process.execPath,
      // Few people at once: memory is worth more here than the last of speed.
      '--max-semi-space-size=1',
      '--max-old-space-size=192',
      '--optimize-for-size',
      join(root, 'node_modules/next/dist/bin/next'),
      'start',
      // Keeps the compiler that would read next.config.ts out of memory.
      '--experimental-next-config-strip-types',
      root,
      '--hostname',
      '127.0.0.1',
      '--port',
      String(settings.webPort),
    ],
    env: { ...env, NEXT_TELEMETRY_DISABLED: '1' },
    check: () => expectHttp(`http://127.0.0.1:${settings.webPort}/api/health`, (status) => status === 200),
  }
}

export function workerPart({ home, env }: PartContext): Part {
  return {
    ...usual,
    name: 'worker',
    argv: [process.execPath, '--max-semi-space-size=2', join(root, 'worker/main.ts')],
    env,
    check: async (pid) => {
      const ready = JSON.parse(readFileSync(join(home, 'run', 'worker.ready'), 'utf8')) as { pid: number }
      if (ready.pid !== pid) throw new Error('the worker is not ready yet')
    },
    stopWithinMs: 25_000,
  }
}

/** Its configuration is the worker's work. */
export function edgePart({ home, settings, env }: PartContext): Part {
  return {
    ...usual,
    name: 'edge',
    argv: [
      'haproxy',
      '-W',
      '-S',
      join(home, 'run', 'edge-master.sock'),
      '-f',
      join(home, 'edge', 'haproxy.cfg'),
    ],
    env: { ...env, [requestLogVariable]: '3' },
    // For both ways: it can be opened while nobody reads it, and is never without a reader.
    opens: () => openSync(requestLogPath(home), 'r+'),
    check: () => expectHttp(`http://127.0.0.1:${settings.port}/api/health`, (status) => status === 200),
    // It executes itself anew, with what lies on the disk now: its ports stay open, and open requests end where they are.
    takeOver: (pid) => void process.kill(pid, 'SIGUSR2'),
    // Soft: open requests may end.
    stopSignal: 'SIGUSR1',
    stopWithinMs: 3_000,
  }
}
