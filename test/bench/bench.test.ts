import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, inject, test } from 'vitest'
import { buildBench } from '../../bench/benches/build.ts'
import { edgeBench } from '../../bench/benches/edge.ts'
import { pullBench } from '../../bench/benches/pull.ts'
import { pushBench } from '../../bench/benches/push.ts'
import { registryBench } from '../../bench/benches/registry.ts'
import { largeLayerImage } from '../../bench/images/large-layer.ts'
import { sleeperImage } from '../../bench/images/sleeper.ts'
import { smallFilesImage } from '../../bench/images/small-files.ts'
import { benchNames, loadBench, runBench } from '../../bench/run-bench.ts'
import { takeTurns } from '../../bench/turns.ts'
import { openWorkplace } from '../../bench/workplace.ts'
import { startRegistryStack } from '../support/registry-stack.ts'
import { until } from '../support/until.ts'

const parent = mkdtempSync(join(tmpdir(), 'berth-test-bench-'))
afterAll(() => rmSync(parent, { recursive: true, force: true }))

const silent = { note: () => {}, signal: new AbortController().signal }

test('contestants take turns on the same work, and one that fails says why and leaves', async () => {
  const seen: string[] = []
  const contestant = (name: string, work: () => Promise<unknown>) => ({
    name,
    prepare: async () => void seen.push(name),
    work,
    finish: async () => {},
  })
  const results = await takeTurns({ runs: 3, ...silent }, [
    contestant('a', async () => 1.5),
    contestant('b', async () => Promise.reject(new Error('it broke'))),
    contestant('c', async () => 2),
    { name: 'd', absent: 'it is not installed' },
  ])
  expect(results).toEqual({ a: [1.5, 1.5, 1.5], b: 'it broke', c: [2, 2, 2], d: 'it is not installed' })
  expect(seen).toEqual(['a', 'b', 'c', 'c', 'a', 'a', 'c'])
})

test('each bench is found by the name of its file', async () => {
  expect(benchNames()).toEqual(expect.arrayContaining(['pull', 'push']))
  for (const name of benchNames()) expect((await loadBench(name)).description).not.toBe('')
  await expect(loadBench('nothing')).rejects.toThrow('There is no bench "nothing"')
})

test('what a killed run left is gone when the next one begins; what runs is let alone', async () => {
  const held = await openWorkplace(parent)
  const code = `const { openWorkplace } = await import('${new URL('../../bench/workplace.ts', import.meta.url)}')
    const { folder } = await openWorkplace('${parent}'); console.log(folder); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [folder] = (await once(child.stdout, 'data')).map((chunk) => String(chunk).trim())
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(existsSync(folder ?? '')).toBe(true)
  await (await openWorkplace(parent)).close()
  expect(existsSync(folder ?? '')).toBe(false)
  expect(existsSync(held.folder)).toBe(true)
  await held.close()
  expect(readdirSync(parent)).toEqual([])
})

test('a bench measures the real engine side by side and leaves nothing behind', async () => {
  const cache = join(parent, 'cache')
  mkdirSync(cache, { recursive: true })
  const bench = { ...pullBench([smallFilesImage(100)], largeLayerImage(8)), packages: [] }
  const report = await runBench('pull', bench, { runs: 1, cache, place: parent, note: () => {} })
  const [pull, memory] = report.rows
  expect(pull).toMatchObject({ what: 'pull an image of 100 small files (1 layer)', unit: 's' })
  expect(pull?.berth).toBeGreaterThan(0)
  for (const name of ['docker', 'podman'])
    expect(pull?.peers[name]).toSatisfy((found) => Number(found) > 0 || /not installed/.test(String(found)))
  expect(memory?.berth).toBeLessThan(150)
  expect(existsSync(join(cache, 'small-files-100-1/index.json'))).toBe(true)
  await until('no process of the bench is left', () => leftOver().length === 0)
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(parent)
})

test('builds are measured beside buildah, podman and docker, and an app beside a bad build', async () => {
  const cache = join(parent, 'cache')
  mkdirSync(cache, { recursive: true })
  const small = { what: 'two steps', base: sleeperImage, steps: ['COPY . /app/', 'RUN true'], files: 2 }
  const endless = { what: 'an endless build', step: 'while true; do :; done' }
  const beside = { bombs: [endless], idleMs: 300, buildMs: 3_000 }
  const bench = { ...buildBench([small], beside), packages: [] }
  const { rows } = await runBench('build', bench, { runs: 1, cache, place: parent, note: () => {} })
  expect(rows.map(({ what }) => what)).toEqual([
    'cold: two steps',
    'warm: two steps',
    'p99 of an app beside an endless build',
  ])
  expect(rows[2]).toMatchObject({ unit: 'ms', budget: { atLeast: { idle: 0.5 } } })
  for (const { berth, peers } of rows) {
    expect(berth).toBeGreaterThan(0)
    for (const [name, figure] of Object.entries(peers))
      expect([name, figure]).toSatisfy(() => Number(figure) > 0 || /not installed/.test(String(figure)))
  }
  await until('no process of the bench is left', () => leftOver().length === 0)
})

test('a push goes to a registry that has nothing of the image', async () => {
  const cache = join(parent, 'cache')
  const bench = { ...pushBench([smallFilesImage(100)], largeLayerImage(8)), packages: [] }
  const { rows } = await runBench('push', bench, { runs: 1, cache, place: parent, note: () => {} })
  expect(rows[0]).toMatchObject({ what: 'push an image of 100 small files (1 layer)', unit: 's' })
  expect(rows[0]?.berth).toBeGreaterThan(0)
  expect(rows[0]?.peers['skopeo, copy alone']).toBeGreaterThan(0)
  expect(rows[1]?.berth).toBeLessThan(150)
})

test('what goes through the edge with tokens is measured beside the bare registry', async () => {
  const cache = join(parent, 'cache')
  const stack = await startRegistryStack({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  try {
    const team = await stack.makeTeam('Bench')
    const { email, password } = await stack.makeUser({ teamId: team.id, role: 'developer' })
    const folder = join(stack.config.home, 'registry/data')
    const open = async () => ({
      host: stack.host,
      folder,
      team: 'bench',
      credentials: `${email}:${password}`,
    })
    const bench = { ...registryBench([smallFilesImage(100)], open), packages: [] }
    const { rows } = await runBench('registry', bench, { runs: 1, cache, place: parent, note: () => {} })
    const image = 'an image of 100 small files (1 layer)'
    expect(rows).toMatchObject([
      { what: `push ${image}`, unit: 's', budget: { atLeast: { 'the bare registry': 0.9 } } },
      { what: `pull ${image}`, unit: 's' },
    ])
    for (const { berth, peers } of rows)
      for (const figure of [berth, peers['the bare registry']]) expect(figure).toBeGreaterThan(0)
  } finally {
    await stack.close()
  }
})

test('requests and switches through the edge are measured beside a bare HAProxy and the app, with one app and more', async () => {
  const bench = { ...edgeBench({ apps: 5, seconds: 1 }), packages: [] }
  const { rows } = await runBench('edge', bench, { runs: 1, place: parent, note: () => {} })
  expect(rows.map(({ unit }) => unit)).toEqual(['/s', 'ms', '/s', 'ms', 'times', 'times', 's', 's'])
  for (const { what, berth, peers } of rows) {
    expect([what, berth]).toEqual([what, expect.any(Number)])
    for (const figure of Object.values(peers)) expect([what, figure]).toEqual([what, expect.any(Number)])
  }
  expect(Object.keys(rows[0]?.peers ?? {})).toEqual(['haproxy', 'direct'])
  await until('no process of the bench is left', () => leftOver().length === 0)
})

/** Processes that work in the bench's folder. */
function leftOver(): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(parent)
    } catch {
      return false
    }
  })
}
