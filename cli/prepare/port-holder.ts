import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const listening = '0A'

/** Inodes of the sockets that listen on a port. `table` is /proc/net/tcp or /proc/net/tcp6; proc(5). */
export function listeningInodes(table: string, port: number): string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0')
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === listening && local?.endsWith(`:${hexPort}`))
    .flatMap((fields) => (fields[9] === undefined ? [] : [fields[9]]))
}

/** Who listens on a port, such as `haproxy (process 123) of the Berth in /srv/berth`; null when it can't be seen. */
export function portHolder(port: number): string | null {
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => listeningInodes(read(path), port))
  const links = new Set(inodes.map((inode) => `socket:[${inode}]`))
  if (links.size === 0) return null
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || !holdsOne(pid, links)) continue
    const home = /(\S+)\/edge\/haproxy\.cfg/.exec(read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))?.[1]
    return `${read(`/proc/${pid}/comm`).trim()} (process ${pid})${home ? ` of the Berth in ${home}` : ''}`
  }
  return null
}

function holdsOne(pid: string, links: Set<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => links.has(link(`/proc/${pid}/fd/${fd}`)))
  } catch {
    // It ended, or is not ours to look at.
    return false
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
