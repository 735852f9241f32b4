/** A real name server (Knot DNS) on loopback, which has one zone and takes updates signed with a key. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './registry.ts'
import { until } from './until.ts'

export interface ZoneServer {
  /** 127.0.0.1:port */
  address: string
  key: { keyName: string; algorithm: 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512'; secret: string }
  /** What it says of a name. */
  texts(name: string): Promise<string[]>
  close(): Promise<void>
}

/** `records`: lines of the zone besides those that every zone has. */
export async function startZoneServer(
  zone: string,
  {
    records = [],
    algorithm = 'hmac-sha256',
    only,
  }: {
    records?: string[]
    algorithm?: ZoneServer['key']['algorithm'] /** The one name that the key may change. */
    only?: string
  } = {},
): Promise<ZoneServer> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'berth-zone-'))
  const key = { keyName: `berth.${zone}`, algorithm, secret: randomBytes(32).toString('base64') }
  const lines = ['@ 60 SOA ns hostmaster 1 60 60 600 1', '@ 60 NS ns', 'ns 60 A 127.0.0.1', ...records]
  await writeFile(join(folder, `${zone}.zone`), `$ORIGIN ${zone}.\n${lines.join('\n')}\n`)
  const names = only === undefined ? '' : `\n    update-owner: name\n    update-owner-name: ["${only}."]`
  await writeFile(
    join(folder, 'knot.conf'),
    `server:
    rundir: "${folder}"
    listen: 127.0.0.1@${port}
log:
  - target: stderr
    any: warning
database:
    storage: "${folder}"
key:
  - id: ${key.keyName}
    algorithm: ${algorithm}
    secret: ${key.secret}
acl:
  - id: updates
    key: ${key.keyName}
    action: update${names}
template:
  - id: default
    storage: "${folder}"
    file: "%s.zone"
    journal-content: changes
zone:
  - domain: ${zone}
    acl: updates
`,
  )
  const child: ChildProcess = spawn('knotd', ['-c', join(folder, 'knot.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      log += chunk
    })
  const resolver = new Resolver({ timeout: 500, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  await until('the zone is served', async () => {
    if (child.exitCode !== null) throw new Error(`knotd ended: ${log}`)
    return resolver.resolveSoa(zone).catch(() => null)
  })
  return {
    ...{ address: `127.0.0.1:${port}`, key },
    texts: async (name) => (await resolver.resolveTxt(name).catch(() => [])).map((parts) => parts.join('')),
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGTERM')
        await exited
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}
