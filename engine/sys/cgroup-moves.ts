/**
 * Before the kernel moves a process to another control group it waits until every processor has passed a point of rest
 * (a grace period of RCU): 5 ms on a quiet host, 40 on a busy one, each time a runtime begins a container or runs
 * something in one. For about as long after a move the next ones wait for nothing. So who is about to have a process
 * moved asks for a move that changes nothing, of ourselves to where we are, again and again until then: the wait goes by
 * while other work is done. Source: kernel/cgroup/cgroup.c, cgroup_attach_lock; kernel/rcu/sync.c.
 */
import { existsSync, readFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const root = '/sys/fs/cgroup'
const againMs = 3
/** Whoever forgets to end it does so by then. */
const longestMs = 5_000

let users = 0
let looping = false

/** Returns how to end it. Without effect where our own group can't be written to. */
export function expectMoves(): () => void {
  users++
  if (!looping) void keepAsking()
  let isOver = false
  const end = () => {
    if (isOver) return
    isOver = true
    users--
    clearTimeout(timer)
  }
  const timer = setTimeout(end, longestMs)
  timer.unref()
  return end
}

async function keepAsking(): Promise<void> {
  looping = true
  let file: FileHandle | undefined
  try {
    const isV2 = existsSync(join(root, 'cgroup.controllers'))
    const group = ownGroup(readFileSync('/proc/self/cgroup', 'utf8'), isV2)
    file = await open(join(group, 'cgroup.procs'), 'r+')
    for (; users > 0; await sleep(againMs)) await file.write(String(process.pid), 0)
  } catch {
    // What follows waits for itself then.
  } finally {
    looping = false
    await file?.close()
  }
}

/** The folder of our group in one hierarchy: that of v2, or the first of v1. Pure. @param text of /proc/self/cgroup */
export function ownGroup(text: string, isV2: boolean): string {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => /^(\d+):([^:]*):(.*)$/.exec(line) ?? [])
  const [, , controllers = '', path = ''] = lines.find(([, number]) => (number === '0') === isV2) ?? []
  return join(root, controllers.replace(/^name=/, ''), path)
}
