/**
 * Names inside a network: one dnsmasq a bridge, listening on the gateway's address only. It answers the network's own
 * names from a hosts file, time to live 0, and passes on the rest; it outlives our process. Source: dnsmasq(8).
 */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandLine, processStart, signalProcess } from '../sys/processes.ts'
import type { Spawner } from '../sys/spawner.ts'

export interface NameEntry {
  address: string
  names: string[]
}

export interface NameServers {
  /** Sets all names of a network; starts its server if it does not run. */
  publish(bridge: string, gateway: string, entries: NameEntry[]): Promise<void>
  /** Starts the server if it does not run. */
  keepAlive(bridge: string, gateway: string): Promise<void>
  /** Ends the server and forgets its names. */
  stop(bridge: string): Promise<void>
  /** Bridges that have a server or had one. */
  list(): Promise<string[]>
}

export function dnsmasqCommand(options: {
  bridge: string
  gateway: string
  hostsFile: string
  pidFile: string
}): string[] {
  return [
    'dnsmasq',
    '--conf-file=/dev/null',
    '--no-hosts',
    `--interface=${options.bridge}`,
    '--except-interface=lo',
    `--listen-address=${options.gateway}`,
    '--bind-interfaces',
    `--addn-hosts=${options.hostsFile}`,
    `--pid-file=${options.pidFile}`,
    '--local-ttl=0',
    '--cache-size=500',
    // Names without a dot are the network's own: never asked elsewhere.
    '--domain-needed',
    '--dns-forward-max=300',
    '--user=nobody',
  ]
}

/** @param folder on a tmpfs; made if need be. */
export async function openNameServers(folder: string, spawner: Spawner): Promise<NameServers> {
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const hostsFileOf = (bridge: string) => join(folder, `${bridge}.hosts`)
  const temporaryOf = (bridge: string) => `${hostsFileOf(bridge)}.tmp`
  const pidFileOf = (bridge: string) => join(folder, `${bridge}.pid`)

  function running(bridge: string): { pid: number; start: string } | null {
    if (!existsSync(pidFileOf(bridge))) return null
    const pid = Number(readFileSync(pidFileOf(bridge), 'utf8'))
    if (!(pid > 1) || !commandLine(pid).includes(`--pid-file=${pidFileOf(bridge)}`)) return null
    const start = processStart(pid)
    return start === null ? null : { pid, start }
  }

  async function keepAlive(bridge: string, gateway: string): Promise<void> {
    if (running(bridge)) return
    const hostsFile = hostsFileOf(bridge)
    if (!existsSync(hostsFile)) await writeFile(hostsFile, '', { mode: 0o644 })
    await spawner.mustRun(dnsmasqCommand({ bridge, gateway, hostsFile, pidFile: pidFileOf(bridge) }))
  }

  return {
    keepAlive,
    async publish(bridge, gateway, entries) {
      const text = entries.map(({ address, names }) => `${address} ${names.join(' ')}\n`).join('')
      await writeFile(temporaryOf(bridge), text, { mode: 0o644 })
      await rename(temporaryOf(bridge), hostsFileOf(bridge))
      const server = running(bridge)
      if (server) signalProcess(server.pid, server.start, 'SIGHUP')
      else await keepAlive(bridge, gateway)
    },
    async stop(bridge) {
      const server = running(bridge)
      if (server) signalProcess(server.pid, server.start, 'SIGKILL')
      const files = [pidFileOf(bridge), hostsFileOf(bridge), temporaryOf(bridge)]
      for (const file of files) await rm(file, { force: true })
    },
    list: async () => [
      ...new Set((await readdir(folder)).map((name) => name.replace(/\.(hosts|pid|hosts\.tmp)$/, ''))),
    ],
  }
}
