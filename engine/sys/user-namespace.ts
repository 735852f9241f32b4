/** User namespaces as file descriptors: what an idmapped mount is shifted by. Source: user_namespaces(7). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { readFile, readlink, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from '../errors.ts'

/** 0…size-1 in the container are base…base+size-1 on the host. */
export interface IdRange {
  base: number
  size: number
}

const deadlineMs = 5_000
const descriptors = new Map<string, Promise<number>>()

/**
 * A descriptor of a user namespace that maps 0…size-1 to the range. One a range is kept open for the life of the
 * process, so only a range's first use costs a process.
 */
export function userNamespaceFor(range: IdRange): Promise<number> {
  const key = `${range.base}:${range.size}`
  const known = descriptors.get(key)
  if (known) return known
  return keep(key, () => make(`0 ${range.base} ${range.size}\n`, `0 ${range.base} ${range.size}\n`))
}

/**
 * A descriptor of a user namespace in which every id is what it is here: its root may do to files of this host what
 * root may, as far as it sees them, and nothing else to the host.
 */
export function sameIdsNamespace(): Promise<number> {
  return descriptors.get('same') ?? keep('same', async () => make(await sameIds('uid'), await sameIds('gid')))
}

async function sameIds(kind: 'uid' | 'gid'): Promise<string> {
  const own = await readFile(`/proc/self/${kind}_map`, 'utf8')
  const ranges = own
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  return ranges.map(([inside, , count]) => `${inside} ${inside} ${count}\n`).join('')
}

function keep(key: string, work: () => Promise<number>): Promise<number> {
  const made = work()
  descriptors.set(key, made)
  made.catch(() => descriptors.delete(key))
  return made
}

async function make(uids: string, gids: string): Promise<number> {
  // `cat` waits in the new namespace until its input ends, which also happens should this process die.
  const child = spawn('unshare', ['--user', 'cat'], { stdio: ['pipe', 'ignore', 'ignore'] })
  try {
    await once(child, 'spawn')
    const own = await readlink('/proc/self/ns/user')
    const until = Date.now() + deadlineMs
    while ((await readlink(`/proc/${child.pid}/ns/user`)) === own) {
      if (Date.now() > until || child.exitCode !== null)
        throw new EngineError(
          'unsupported',
          'this kernel made no user namespace: enable user.max_user_namespaces',
        )
      await sleep(1)
    }
    await writeFile(`/proc/${child.pid}/uid_map`, uids)
    await writeFile(`/proc/${child.pid}/gid_map`, gids)
    return openSync(`/proc/${child.pid}/ns/user`, 'r')
  } finally {
    child.stdin?.destroy()
    child.kill('SIGKILL')
  }
}
