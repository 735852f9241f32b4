import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { mountNamespace } from '../../../engine/sys/confine.ts'
import { endNodeChild, startNodeChild } from '../../../engine/sys/node-child.ts'
import { processStart } from '../../../engine/sys/processes.ts'
import type { SandboxReport } from '../../support/sandbox-child.ts'
import { until } from '../../support/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-sandbox-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('who works on what strangers sent has nothing of the host but its folder, and may do nothing else', async () => {
  const root = join(folder, 'root')
  mkdirSync(root)
  const input = openSync('/dev/null', 'r')
  const child = await startNodeChild(new URL('../../support/sandbox-child.ts', import.meta.url), {
    inputFd: input,
    maxHeapMegabytes: 64,
    maxFileBytes: 2 ** 20,
    maxCpuSeconds: 60,
    codeCache: join(folder, 'code-cache'),
  })
  const closed = once(child, 'close')
  child.send({ root, outside: folder, namespace: mountNamespace() })
  const [report] = (await once(child, 'message')) as [SandboxReport]
  // The innermost one: those before it only wait for it.
  const innermost = descendants(child.pid ?? 0).at(-1)
  const threads = innermost === undefined ? [] : threadsOf(innermost)
  child.kill('SIGKILL')
  await closed
  closeSync(input)
  for (const [kind, namespace] of Object.entries(report.namespaces))
    expect([kind, namespace === readlinkSync(`/proc/self/ns/${kind}`)]).toEqual([kind, false])
  expect(report.interfaces).toEqual([])
  expect(report.pid).toBe(1)
  expect(report.limits).toMatch(/^Max file size\s+1048576\s+1048576\s/m)
  expect(report.limits).toMatch(/^Max cpu time\s+60\s+60\s/m)
  expect(report.limits).toMatch(/^Max data size\s+1140850688\s+1140850688\s/m)
  expect(report.refused).toBe('failed-precondition')
  expect(report.root).toEqual(['fifo', 'inside', 'white'])
  expect(report.tried).toEqual({
    'reading outside': 'ENOENT',
    'the way up': 'ENOENT',
    'mounting a tmpfs': 'ENOSYS',
    'marking for overlayfs': 'EPERM',
    'a signal': 'ENOSYS',
    'a program': 'ENOSYS',
    'a socket': 'ENOSYS',
    'a namespace': 'ENOSYS',
    'a disk': 'ENOSYS',
    'a device': 'ENOSYS',
    'a whiteout': 'done',
    'a FIFO': 'done',
    'two gigabytes': 'ERR_MEMORY_ALLOCATION_FAILED',
    'writing inside': 'done',
  })
  // Node has threads of its own, and whoever takes one over has what that one has.
  expect(threads.length).toBeGreaterThan(4)
  const [main, ...others] = threads
  expect(main).toEqual({ permitted: usual, effective: usual, filter: '2', gains: '1' })
  expect(new Set(others.map((thread) => JSON.stringify(thread)))).toEqual(
    new Set([
      JSON.stringify({ permitted: '0'.repeat(16), effective: '0'.repeat(16), filter: '2', gains: '1' }),
    ]),
  )
})

const calledOff = new AbortController()
test.each([
  ['it is ended', undefined, endNodeChild],
  ['its signal fires', calledOff.signal, () => calledOff.abort()],
] as const)(
  'when %s, all of it goes, also what would outlive the process before it',
  async (_when, signal, end) => {
    const input = openSync('/dev/null', 'r')
    const child = await startNodeChild(new URL('../../support/clinging-child.ts', import.meta.url), {
      inputFd: input,
      maxHeapMegabytes: 64,
      maxFileBytes: 2 ** 20,
      maxCpuSeconds: 60,
      codeCache: join(folder, 'code-cache'),
      signal,
    })
    closeSync(input)
    const closed = once(child, 'close', { signal: AbortSignal.timeout(10_000) })
    await once(child, 'message')
    const started = descendants(child.pid ?? 0)
    expect(started).toHaveLength(1)
    try {
      end(child)
      await closed
      await until('it is gone', () => started.every((pid) => processStart(pid) === null))
    } finally {
      for (const pid of started) if (processStart(pid) !== null) process.kill(pid, 'SIGKILL')
    }
  },
)

test('a layer is unpacked by one who has given everything up, and it dies with who started it, also by SIGKILL', async () => {
  const target = join(folder, 'staging', 'layer')
  mkdirSync(target, { recursive: true })
  const file = new URL('../../support/unpack-parent.ts', import.meta.url).pathname
  // Its input stays open and empty: it waits for more of the layer.
  const parent = spawn(process.execPath, [file, target, `sha256:${'0'.repeat(64)}`], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  let children: number[]
  try {
    children = await until('the layer is being unpacked by one who may do nothing else', () => {
      const all = descendants(parent.pid ?? 0)
      // Those before the innermost one only wait for it.
      const innermost = all.findLast((pid) => commandOf(pid).includes('unpack-child'))
      const [main, ...others] = innermost === undefined ? [] : threadsOf(innermost)
      return (
        isConfined(main) &&
        // Threads that it begins afterwards have what it has, and those from before have nothing.
        others.every((each) => isConfined(each, [usual, '0'.repeat(16)])) &&
        all
      )
    })
  } finally {
    parent.kill('SIGKILL')
  }
  await once(parent, 'exit')
  await until('everything that it started is gone', () => children.every((pid) => processStart(pid) === null))
})

function descendants(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), parentOf(name)] as const)
  const found = [pid]
  for (const each of found)
    found.push(...parents.filter(([, parent]) => parent === each).map(([child]) => child))
  return found.slice(1)
}

function parentOf(pid: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return -1
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** chown, dac_override, fowner, fsetid, setfcap. */
const usual = '000000008000001b'

function isConfined(thread: ReturnType<typeof threadsOf>[number] | undefined, may = [usual]): boolean {
  return (
    may.includes(thread?.permitted ?? '') &&
    thread?.permitted === thread?.effective &&
    thread?.filter === '2' &&
    thread.gains === '1'
  )
}

/** What each thread of a process may do, its first one first: capabilities, the filter's mode, no_new_privs. */
function threadsOf(pid: number) {
  return readdirSync(`/proc/${pid}/task`)
    .map(Number)
    .sort((a, b) => a - b)
    .map((thread) => {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
      const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1]
      return {
        permitted: field('CapPrm'),
        effective: field('CapEff'),
        filter: field('Seccomp'),
        gains: field('NoNewPrivs'),
      }
    })
}
