/** Runs where layers are unpacked, and tells what it can do there: first as it starts, then with a root of its own. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { enterRoot, keepCapabilities, mount, setAttribute } from '../../engine/sys/syscalls.ts'

export interface SandboxReport {
  namespaces: Record<string, string>
  interfaces: string[]
  limits: string
  pid: number
  root: string[]
  /** What was tried, and the code of the error that it met. */
  tried: Record<string, string>
}

process.once('message', ({ root, outside }: { root: string; outside: string }) => {
  const kinds = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts']
  const before = {
    namespaces: Object.fromEntries(kinds.map((kind) => [kind, readlinkSync(`/proc/self/ns/${kind}`)])),
    interfaces: Object.keys(networkInterfaces()),
    limits: readFileSync('/proc/self/limits', 'utf8'),
    pid: process.pid,
  }
  enterRoot(root)
  keepCapabilities([0, 1, 3, 4, 31])
  const attempts: Record<string, () => unknown> = {
    'reading outside': () => readdirSync(outside),
    'the way up': () => readdirSync('/../../../../proc'),
    'mounting a tmpfs': () => mount('none', '/', 'tmpfs', 0, ''),
    'marking for overlayfs': () =>
      setAttribute(Buffer.from('/\0'), 'trusted.overlay.opaque', Buffer.from('y')),
    'a signal to who started it': () => process.kill(process.ppid === 0 ? 2 ** 22 - 1 : process.ppid, 0),
    'writing inside': () => writeFileSync('/inside', 'x'),
  }
  const tried: Record<string, string> = {}
  for (const [what, attempt] of Object.entries(attempts)) {
    try {
      attempt()
      tried[what] = 'done'
    } catch (error) {
      tried[what] = (error as { code?: string }).code ?? String(error)
    }
  }
  process.send?.({ ...before, root: readdirSync('/'), tried } satisfies SandboxReport)
})
