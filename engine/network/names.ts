/**
 * Names inside networks, by dnsmasq: one a bridge, listening on the gateway's address only, and one more for each
 * container that is on several networks, which knows the names of all of them. They answer from hosts files, time to
 * live 0, and pass on the rest; they outlive our process. Source: dnsmasq(8).
 */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandLine, processStart, signalProcess } from '../sys/processes.ts'
import type { Spawner } from '../sys/spawner.ts'

export interface NameEntry {
  address: string
  names: string[]
}

export interface NameServer {
  /** Names its files; the first bridge's or link's name. */
  key: string
  bridge: string
  gateway: string
  port: number
  /** Keys under which the names that it knows are published. */
  zones: string[]
  /** Whether names of the world are asked for. */
  forwards: boolean
}

export interface NameServers {
  /** Sets all names of a network, and has every server that knows them read them. */
  publish(zone: string, entries: NameEntry[]): Promise<void>
  /** Starts the server if it does not run as described. */
  keepAlive(server: NameServer): Promise<void>
  /** Ends the server, whose address and port are free then, and forgets the names that were published under its key. */
  stop(key: string): Promise<void>
  /** Keys that have a server or had one. */
  list(): Promise<string[]>
}

/**
 * What the world may not say a name stands for: this host, a neighbour in a network, cloud metadata. A page or a
 * webhook that was checked by its name would reach those otherwise (DNS rebinding).
 */
const neverFromOutside = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '::/128',
  '::1/128',
  '::ffff:0:0/96',
  'fe80::/10',
  'fd00:ec2::254/128',
]

const endsWithinMs = 5_000

export interface NameServerFiles {
  hostsFiles: string[]
  serversFile: string
  pidFile: string
}

/** Pure. What tells a server that runs as described from one that must start anew. @param pool range of all networks */
export function dnsmasqCommand(server: NameServer, files: NameServerFiles, pool: string): string[] {
  return [
    'dnsmasq',
    '--conf-file=/dev/null',
    '--no-hosts',
    `--interface=${server.bridge}`,
    '--except-interface=lo',
    `--listen-address=${server.gateway}`,
    `--port=${server.port}`,
    '--bind-interfaces',
    ...files.hostsFiles.map((file) => `--addn-hosts=${file}`),
    `--servers-file=${files.serversFile}`,
    `--pid-file=${files.pidFile}`,
    '--local-ttl=0',
    '--cache-size=500',
    // Names without a dot are the network's own: never asked elsewhere. Neither are private addresses.
    '--domain-needed',
    '--bogus-priv',
    ...(server.forwards ? [] : ['--no-resolv', '--local=/#/']),
    ...[...neverFromOutside, pool].map((range) => `--bogus-nxdomain=${range}`),
    // Who asks for version.bind or servers.bind learns nothing of the host.
    '--no-ident',
    '--dns-forward-max=300',
    '--user=nobody',
  ]
}

/** @param folder on a tmpfs; made if need be. */
export async function openNameServers(folder: string, spawner: Spawner, pool: string): Promise<NameServers> {
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const fileOf = (key: string, kind: 'hosts' | 'local' | 'servers' | 'pid') => join(folder, `${key}.${kind}`)

  async function write(path: string, text: string): Promise<void> {
    await writeFile(`${path}.tmp`, text, { mode: 0o644 })
    await rename(`${path}.tmp`, path)
  }

  function running(key: string): { pid: number; start: string; argv: string[] } | null {
    const pidFile = fileOf(key, 'pid')
    if (!existsSync(pidFile)) return null
    const pid = Number(readFileSync(pidFile, 'utf8'))
    const argv = pid > 1 ? commandLine(pid) : []
    if (!argv.includes(`--pid-file=${pidFile}`)) return null
    const start = processStart(pid)
    return start === null ? null : { pid, start, argv }
  }

  /** Its port is free when it returns. */
  async function end({ pid, start }: { pid: number; start: string }): Promise<void> {
    signalProcess(pid, start, 'SIGKILL')
    for (const until = Date.now() + endsWithinMs; processStart(pid) === start && Date.now() < until; )
      await sleep(2)
  }

  const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')

  /** Names with a dot are told from the world's one by one: a server passes on whatever else has one. */
  const writeServers = (key: string, zones: string[]) =>
    write(fileOf(key, 'servers'), zones.map((zone) => read(fileOf(zone, 'local'))).join(''))

  const keysOf = async (kind: string) =>
    (await readdir(folder))
      .filter((name) => name.endsWith(`.${kind}`))
      .map((name) => name.slice(0, -kind.length - 1))

  return {
    async publish(zone, entries) {
      const names = new Set(entries.flatMap((entry) => entry.names).filter((name) => name.includes('.')))
      await write(
        fileOf(zone, 'hosts'),
        entries.map(({ address, names }) => `${address} ${names.join(' ')}\n`).join(''),
      )
      await write(fileOf(zone, 'local'), [...names].map((name) => `server=/${name}/\n`).join(''))
      for (const key of await keysOf('pid')) {
        const server = running(key)
        if (!server?.argv.includes(`--addn-hosts=${fileOf(zone, 'hosts')}`)) continue
        const zones = server.argv
          .filter((word) => word.startsWith('--addn-hosts='))
          .map((word) => word.slice(`--addn-hosts=${folder}/`.length, -'.hosts'.length))
        await writeServers(key, zones)
        signalProcess(server.pid, server.start, 'SIGHUP')
      }
    },
    async keepAlive(server) {
      const files = {
        hostsFiles: server.zones.map((zone) => fileOf(zone, 'hosts')),
        serversFile: fileOf(server.key, 'servers'),
        pidFile: fileOf(server.key, 'pid'),
      }
      const argv = dnsmasqCommand(server, files, pool)
      const found = running(server.key)
      if (found?.argv.join('\0') === argv.join('\0')) return
      if (found) await end(found)
      for (const file of files.hostsFiles) if (!existsSync(file)) await write(file, '')
      await writeServers(server.key, server.zones)
      await spawner.mustRun(argv)
    },
    async stop(key) {
      const server = running(key)
      if (server) await end(server)
      for (const kind of ['pid', 'hosts', 'local', 'servers'] as const)
        for (const file of [fileOf(key, kind), `${fileOf(key, kind)}.tmp`]) await rm(file, { force: true })
    },
    list: async () => [
      ...new Set(
        (await readdir(folder)).map((name) => name.replace(/\.(hosts|local|servers|pid)(\.tmp)?$/, '')),
      ),
    ],
  }
}
