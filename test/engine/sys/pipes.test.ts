import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openOutput } from '../../../engine/sys/pipes.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-pipes-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A process that writes into a new pipe, started as the runtime starts one. */
function write(command: string, aheadBytes?: number) {
  const path = join(folder, 'out')
  const output = openOutput(path, aheadBytes)
  const end = openSync(path, 'w')
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', end, 'inherit'] })
  closeSync(end)
  return { ...output, child }
}

test('a reader who takes his time gets all that was written, long after its writer has ended', async () => {
  const { stream, ended, child } = write('head -c 120000 /dev/zero')
  await once(child, 'exit')
  ended()
  // Longer than others who hold the pipe are waited for.
  await sleep(800)
  expect(await buffer(stream)).toHaveLength(120_000)
})

test('a writer may be as far ahead of a reader who is busy as was said, or as anybody may', async () => {
  const bytes = 1_000_000
  const { stream, ended, child } = write(`head -c ${bytes} /dev/zero`, 8 * 2 ** 20)
  // Nobody has read a byte of it.
  await once(child, 'exit')
  ended()
  expect(await buffer(stream)).toHaveLength(bytes)
})

test('somebody who still holds the pipe does not keep it open', async () => {
  const { stream, ended, child } = write('echo first; sleep 20 & echo $!')
  await once(child, 'exit')
  ended()
  const [first, holder] = (await buffer(stream)).toString().split('\n')
  expect(first).toBe('first')
  process.kill(Number(holder))
})
