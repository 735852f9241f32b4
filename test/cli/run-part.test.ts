import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Part } from '../../cli/parts/part.ts'
import { processStart } from '../../cli/processes.ts'
import { endLeftParts, liveInstance, writeInstance } from '../../cli/supervisor/instance.ts'
import { takeLock } from '../../cli/supervisor/lock.ts'
import { type RunningPart, runPart } from '../../cli/supervisor/run-part.ts'
import { until } from '../support/until.ts'

let home: string
let lines: string[]
const running: RunningPart[] = []

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'berth-parts-'))
  for (const name of ['run', 'logs']) await mkdir(join(home, name))
  lines = []
})

afterEach(async () => {
  for (const part of running.splice(0)) await part.stop()
  await rm(home, { recursive: true, force: true })
})

/** A Node process that runs this text, then says in a file that it is ready. */
function part(script: string, changes: Partial<Part> = {}): Part {
  const ready = join(home, 'ready')
  return {
    name: 'redis',
    argv: [process.execPath, '-e', `${script};require('fs').writeFileSync('${ready}', String(process.pid))`],
    env: {},
    check: async (pid) => {
      if (readFileSync(ready, 'utf8') !== String(pid)) throw new Error('not ready')
    },
    readyWithinMs: 30_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 10_000,
    ...changes,
  }
}

async function start(which: Part, signal?: AbortSignal): Promise<RunningPart> {
  const started = await runPart(which, { home, onLine: (_, line) => lines.push(line), signal })
  running.push(started)
  return started
}

const forever = 'setInterval(() => {}, 1000)'
const alive = (pid: number | null) => pid !== null && processStart(pid) !== null

test('a part that dies is started again, waits grow, and both are said and logged', async () => {
  const started = await start(part(forever))
  for (const restarts of [1, 2]) {
    const { pid } = started
    process.kill(pid ?? 0, 'SIGKILL')
    await until('it runs again', () => started.restarts === restarts && alive(started.pid))
    await until(
      'it is said',
      () => lines.filter((line) => /again and answers/.test(line)).length === restarts,
    )
  }
  expect(lines).toContain('redis was ended by SIGKILL: it starts again in 0.5 s')
  expect(lines).toContain('redis was ended by SIGKILL: it starts again in 1 s')
  expect(readFileSync(join(home, 'logs/redis.log'), 'utf8')).toContain('starts again in 1 s')
})

test('a part that ends while it starts is not tried again: its last lines are the reason', async () => {
  const failing = start(
    part('', { argv: [process.execPath, '-e', 'console.error("no such luck");process.exit(3)'] }),
  )
  await expect(failing).rejects.toThrow(/exit code 3[\s\S]*no such luck/)
  expect(existsSync(join(home, 'run/redis.pid'))).toBe(false)
})

test('a program that is not there is a sentence, not a crash', async () => {
  await expect(start(part('', { argv: ['/nowhere/redis'] }))).rejects.toThrow(/could not be started/)
})

test('a part that never answers is ended at its limit', async () => {
  const never = part(forever, {
    readyWithinMs: 1_000,
    check: async () => {
      throw new Error('connection refused')
    },
  })
  await expect(start(never)).rejects.toThrow(/did not answer within 1 s \(connection refused\)/)
  expect(existsSync(join(home, 'run/redis.pid'))).toBe(false)
})

test('a start that is called off ends what it began', async () => {
  const calledOff = new AbortController()
  const starting = start(
    part(forever, {
      check: async (pid) => {
        calledOff.abort(new Error(`called off ${pid}`))
        throw new Error('not yet')
      },
    }),
    calledOff.signal,
  )
  const reason: Error = await starting.then(
    () => new Error('it started'),
    (error) => error,
  )
  expect(reason.message).toMatch(/^called off \d+$/)
  expect(alive(Number(reason.message.split(' ').at(-1)))).toBe(false)
})

test('stop waits for a part that takes its time, and kills one that does not listen', async () => {
  const polite = await start(
    part(
      `process.on('SIGTERM', () => setTimeout(() => { console.log('done'); process.exit() }, 300));${forever}`,
    ),
  )
  await polite.stop()
  expect(lines).toContain('done')
  const deaf = await start(part(`process.on('SIGTERM', () => {});${forever}`, { stopWithinMs: 300 }))
  const { pid } = deaf
  await deaf.stop()
  expect(alive(pid)).toBe(false)
  expect(lines.join('\n')).toMatch(/did not stop within 0.3 s/)
})

test('a part that was left is taken over as it runs: its lines are told, its end is seen, and it is started again', async () => {
  const takenOver: number[] = []
  const script = `let n = 0; setInterval(() => console.log('line ' + ++n), 50)`
  const edge = part(script, { name: 'edge', takeOver: (pid) => void takenOver.push(pid) })
  const first = await start(edge)
  await until('it is heard', () => lines.includes('line 2'))
  await first.leave()
  const { pid } = first
  expect(alive(pid)).toBe(true)
  expect(await endLeftParts(home, { spare: ['edge'] })).toEqual([])
  lines = []
  const second = await start(edge)
  expect([second.pid, takenOver]).toEqual([pid, [pid]])
  await until('it is heard again', () => lines.filter((line) => line.startsWith('line')).length > 2)
  expect(lines).not.toContain('line 1')
  process.kill(pid ?? 0, 'SIGKILL')
  await until('another one runs', () => second.restarts === 1 && alive(second.pid) && second.pid !== pid)
  await second.stop()
  expect(alive(second.pid)).toBe(false)
})

test('what was left and would be another one now is ended first, and so is what nobody may take over', async () => {
  const first = await start(part(forever, { name: 'edge', takeOver: () => {} }))
  await first.leave()
  const second = await start(part(`${forever};1`, { name: 'edge', takeOver: () => {} }))
  expect(alive(first.pid)).toBe(false)
  expect(second.pid).not.toBe(first.pid)
  await second.leave()
  expect(await endLeftParts(home)).toEqual(['edge'])
  expect(alive(second.pid)).toBe(false)
})

test('what a killed supervisor left is ended, and nobody else who got its pid', async () => {
  const left = spawn('sleep', ['1000'], { detached: true })
  const stranger = spawn('sleep', ['1000'], { detached: true })
  try {
    writeFileSync(join(home, 'run/web.pid'), `${left.pid} ${processStart(left.pid ?? 0)}`)
    writeFileSync(join(home, 'run/worker.pid'), `${stranger.pid} 12345`)
    expect(await endLeftParts(home)).toEqual(['web'])
    expect(alive(left.pid ?? null)).toBe(false)
    expect(alive(stranger.pid ?? null)).toBe(true)
    expect(existsSync(join(home, 'run/web.pid'))).toBe(false)
  } finally {
    for (const child of [left, stranger]) child.kill('SIGKILL')
  }
})

test('a supervisor is known by its pid and start time', () => {
  const start = processStart(process.pid) ?? ''
  const instance = { pid: process.pid, state: 'ready' as const, startedAt: '' }
  writeInstance(home, { ...instance, start })
  expect(liveInstance(home)?.pid).toBe(process.pid)
  writeInstance(home, { ...instance, start: '1' })
  expect(liveInstance(home)).toBeNull()
})

test('a lock is had once, and again when it was let go', async () => {
  const letGo = await takeLock(home)
  expect(letGo).not.toBeNull()
  expect(await takeLock(home)).toBeNull()
  letGo?.()
  const again = await until('it is free', () => takeLock(home))
  again()
})
