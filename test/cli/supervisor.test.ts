import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Part } from '../../cli/parts/part.ts'
import { processStart } from '../../cli/processes.ts'
import { endLeftParts } from '../../cli/supervisor/instance.ts'
import { type RunningPart, runPart } from '../../cli/supervisor/run-part.ts'
import { until } from '../support/until.ts'

let home = ''
let lines: string[] = []
const running: RunningPart[] = []
const children: ChildProcess[] = []

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'berth-supervisor-'))
  for (const name of ['run', 'logs']) mkdirSync(join(home, name))
  lines = []
})

afterEach(async () => {
  for (const part of running.splice(0)) await part.stop()
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(home, { recursive: true, force: true })
})

async function start(script: string, options: Partial<Part> = {}): Promise<RunningPart> {
  const part = await runPart(
    {
      name: 'web',
      argv: ['/bin/sh', '-c', script],
      env: { PATH: process.env.PATH ?? '', HOME_FOLDER: home },
      check: async () => {
        if (!existsSync(join(home, 'up'))) throw new Error('not up')
      },
      readyWithinMs: 30_000,
      stopSignal: 'SIGTERM',
      stopWithinMs: 10_000,
      ...options,
    },
    { home, onLine: (_name, line) => lines.push(line) },
  )
  running.push(part)
  return part
}

test('a part that dies is started again, and that is said', async () => {
  const part = await start('echo begun; touch "$HOME_FOLDER/up"; exec sleep 1000')
  const first = part.pid
  expect(first).not.toBeNull()
  process.kill(first ?? 0, 'SIGKILL')
  await until('another process runs', () => part.pid !== null && part.pid !== first)
  expect(part.restarts).toBe(1)
  expect(lines.join('\n')).toContain('web was ended by SIGKILL: starting it again in 0.5 s')
  await until('its log is written', () =>
    /begun[\s\S]*begun/.test(readFileSync(join(home, 'logs/web.log'), 'utf8')),
  )
})

test('a part that ends while it starts is a failure with its own words', async () => {
  await expect(start('echo "the port is taken"; exit 3')).rejects.toThrow(
    /ended while it started[\s\S]*the port is taken/,
  )
})

test('a part that never answers is ended, and the limit named', async () => {
  await expect(
    start('echo $$ > "$HOME_FOLDER/pid"; exec sleep 1000', { readyWithinMs: 500 }),
  ).rejects.toThrow(/did not answer within 0.5 s/)
  expect(processStart(Number(readFileSync(join(home, 'pid'), 'utf8')))).toBeNull()
})

test('a part that does not stop when asked is killed, and is not started again', async () => {
  const part = await start('trap "" TERM; touch "$HOME_FOLDER/up"; while :; do sleep 0.1; done', {
    stopWithinMs: 300,
  })
  const { pid } = part
  await part.stop()
  expect(processStart(pid ?? 0)).toBeNull()
  expect(part.pid).toBeNull()
  expect(lines.join('\n')).toContain('did not stop within 0.3 s: killed')
})

test('what a killed supervisor left running is ended, and nobody else who got its pid', async () => {
  const left = spawn('sleep', ['1000'], { detached: true })
  const stranger = spawn('sleep', ['1000'], { detached: true })
  children.push(left, stranger)
  writeFileSync(join(home, 'run/web.pid'), `${left.pid} ${processStart(left.pid ?? 0)}`)
  writeFileSync(join(home, 'run/worker.pid'), `${stranger.pid} 12345`)
  expect(await endLeftParts(home)).toEqual(['web'])
  expect(processStart(left.pid ?? 0)).toBeNull()
  expect(processStart(stranger.pid ?? 0)).not.toBeNull()
  expect(existsSync(join(home, 'run/web.pid'))).toBe(false)
})
