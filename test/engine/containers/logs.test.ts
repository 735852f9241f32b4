import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LogLine } from '../../../engine/index.ts'
import { collect, startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
beforeAll(async () => {
  host = await startEngine()
})
afterAll(() => host.close())

const sh = (script: string) => ['/bin/sh', '-c', script]
const containers = () => host.engine.containers
const texts = (lines: LogLine[]) => lines.map(({ text }) => text)
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index))

async function run(changes: Parameters<TestEngine['spec']>[0]) {
  const spec = host.spec(changes)
  await containers().create(spec)
  return containers().start(spec.id)
}

async function folderOf(id: string) {
  return dirname((await containers().inspect(id)).logFile)
}
const aside = (folder: string) => readdirSync(folder).filter((name) => /^log\.\d+$/.test(name))

describe('rotation', () => {
  test('every line is there, in order and once, for followers and later readers, across many files', async () => {
    const many = 60_000
    const script = `i=0; while test $i -lt 60; do seq $((i*1000+1)) $((i*1000+1000)); i=$((i+1)); sleep 0.05; done; printf end`
    const { id } = await run({ log: { maxBytes: 64 * 1024, files: 1_000 }, command: sh(script) })
    const followed: LogLine[] = []
    const stop = new AbortController()
    const following = (async () => {
      for await (const line of containers().logs(id, { follow: true, signal: stop.signal }))
        followed.push(line)
    })()
    await containers().wait(id, { signal: AbortSignal.timeout(60_000) })
    await until('the last line', () => followed.at(-1)?.text === 'end')
    expect(aside(await folderOf(id)).length).toBeGreaterThan(3)
    const expected = [...numbers(1, many), 'end']
    expect(texts(followed)).toEqual(expected)
    expect(await collect(containers().logs(id))).toEqual(followed)
    const middle = followed[31_234]
    expect(await collect(containers().logs(id, { after: middle?.cursor ?? '' }))).toEqual(
      followed.slice(31_235),
    )
    expect(texts(await collect(containers().logs(id, { tail: 25_000 })))).toEqual(expected.slice(-25_000))
    // The next run goes on in the same row.
    await containers().start(id)
    await until('the second run', () => followed.length === 2 * expected.length)
    expect(texts(followed.slice(expected.length))).toEqual(expected)
    stop.abort()
    await following
  })

  test('only so many files are kept, and who asks for lines that are gone gets those after them', async () => {
    const script =
      'i=0; while test $i -lt 40; do seq $((i*1000+1)) $((i*1000+1000)); i=$((i+1)); sleep 0.05; done; sleep 1000'
    const { id } = await run({ log: { maxBytes: 64 * 1024, files: 3 }, command: sh(script) })
    const first = await until('a line', async () => (await collect(containers().logs(id)))[0])
    await until('all is written', async () => {
      const [last] = await collect(containers().logs(id, { tail: 1 }))
      return last?.text === '40000'
    })
    const folder = await folderOf(id)
    await until('the oldest are gone', () => !existsSync(join(folder, 'log.0')) && aside(folder).length <= 2)
    const rest = texts(await collect(containers().logs(id, { after: first.cursor })))
    expect(rest.length).toBeGreaterThan(1_000)
    expect(rest).toEqual(numbers(40_001 - rest.length, 40_000))
    await containers().remove(id, { force: true })
  })

  test('an engine that was killed between putting aside and telling the monitor loses nothing', async () => {
    const script = 'seq 1 100; while ! test -e /tmp/go; do sleep 0.05; done; seq 101 200; sleep 1000'
    const { id, pid } = await run({ command: sh(script) })
    await until('the first part', async () => (await collect(containers().logs(id))).length === 100)
    const folder = await folderOf(id)
    await host.engine.close()
    renameSync(join(folder, 'log'), join(folder, 'log.0'))
    writeFileSync(`/proc/${pid}/root/tmp/go`, '')
    await until('it wrote on', () => statSync(join(folder, 'log.0')).size > 200 * 40)
    await host.reopen()
    expect(texts(await collect(containers().logs(id)))).toEqual(numbers(1, 200))
    await until('there is a new file', () => existsSync(join(folder, 'log')))
    expect(texts(await collect(containers().logs(id)))).toEqual(numbers(1, 200))
    await containers().remove(id, { force: true })
  })
})

describe('without an engine', () => {
  test('a log stays below twice what is kept, nothing of that is lost, and lines go on after it', async () => {
    const script =
      'go() { while ! test -e $1; do sleep 0.05; done; }; echo first; go /tmp/a; seq 1 30000; echo all; go /tmp/b; seq 30001 120000; echo all; go /tmp/c; echo last'
    const log = { maxBytes: 256 * 1024, files: 4 }
    const { id, pid } = await run({ log, command: sh(script) })
    const first = await until('the first line', async () => (await collect(containers().logs(id)))[0])
    const folder = await folderOf(id)
    const sizeOf = () =>
      [
        ...new Map(
          names()
            .map((name) => statSync(join(folder, name)))
            .map(({ ino, size }) => [ino, size]),
        ).values(),
      ].reduce((sum, size) => sum + size, 0)
    const names = () => readdirSync(folder)
    const kept = log.maxBytes * log.files
    const hasAll = () => readFileSync(join(folder, 'log'), 'utf8').includes('stdout F all')
    await host.engine.close()
    // More than is kept: the monitor begins its file anew once, and what it held is there.
    writeFileSync(`/proc/${pid}/root/tmp/a`, '')
    await until('all is written', hasAll)
    expect(sizeOf()).toBeGreaterThan(kept)
    expect(sizeOf()).toBeLessThan(2 * kept + 64 * 1024)
    await host.reopen()
    expect(texts(await collect(containers().logs(id)))).toEqual(['first', ...numbers(1, 30_000), 'all'])
    expect(texts(await collect(containers().logs(id, { after: first.cursor })))[0]).toBe('1')
    await until('it has a name of its own', () => aside(folder).some((name) => /^log\.\d+$/.test(name)))
    // Much more than is kept: what was between goes.
    await host.engine.close()
    writeFileSync(`/proc/${pid}/root/tmp/b`, '')
    await until('all is written', hasAll)
    await host.reopen()
    writeFileSync(`/proc/${pid}/root/tmp/c`, '')
    await containers().wait(id, { signal: AbortSignal.timeout(60_000) })
    const lines = texts(await collect(containers().logs(id, { after: first.cursor })))
    expect(lines.at(-1)).toBe('last')
    expect(new Set(lines).size).toBe(lines.length - 1)
    await containers().remove(id)
  })
})

describe('what is asked for', () => {
  test('since, until, stream and tail choose among the lines', async () => {
    const { id } = await run({ command: sh('for i in 1 2 3 4; do echo o$i; echo e$i >&2; sleep 0.2; done') })
    await containers().wait(id)
    const all = await collect(containers().logs(id))
    const of = async (options: Parameters<ReturnType<typeof containers>['logs']>[1]) =>
      texts(await collect(containers().logs(id, options)))
    const outputs = all.filter(({ stream }) => stream === 'stdout')
    const [, second, third] = outputs
    expect(outputs).toHaveLength(4)
    expect(await of({ stream: 'stderr' })).toEqual(['e1', 'e2', 'e3', 'e4'])
    expect(await of({ since: third?.time, stream: 'stdout' })).toEqual(['o3', 'o4'])
    expect(await of({ until: second?.time, stream: 'stdout' })).toEqual(['o1', 'o2'])
    expect(await of({ since: second?.time, until: third?.time, stream: 'stdout' })).toEqual(['o2', 'o3'])
    expect(await of({ until: third?.time, tail: 1, stream: 'stdout' })).toEqual(['o3'])
    expect(await of({ since: '2999-01-01' })).toEqual([])
    expect(await of({ until: '1999-01-01T00:00:00Z', follow: true })).toEqual([])
    await expect(of({ since: 'yesterday' })).rejects.toMatchObject({ kind: 'invalid' })
    const soon = new Date(Date.now() + 300).toISOString()
    expect(await of({ until: soon, follow: true, stream: 'stdout' })).toEqual(['o1', 'o2', 'o3', 'o4'])
  })

  test('a line longer than a block of the monitor’s is one line', async () => {
    const { id } = await run({
      command: sh('dd if=/dev/zero bs=1000 count=50 2>/dev/null | busybox tr "\\0" x; echo; echo next'),
    })
    await containers().wait(id)
    const lines = texts(await collect(containers().logs(id)))
    expect(lines.map((line) => line.length)).toEqual([50_000, 4])
    expect(texts(await collect(containers().logs(id, { tail: 2 })))).toEqual(lines)
  })

  test('a container that is removed while its log is read ends the reading', async () => {
    for (let round = 0; round < 4; round++) {
      const { id } = await run({ command: sh('while :; do seq 1 1000; sleep 0.01; done') })
      let count = 0
      const readers = Array.from({ length: 5 }, async () => {
        for await (const _ of containers().logs(id, { follow: true })) count++
      })
      await until('something is read', () => count > 500)
      await containers().remove(id, { force: true })
      await Promise.all(readers)
    }
  })
})
