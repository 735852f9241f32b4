/** The worker that carries it out, and its absence. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Stand } from './stand.ts'

export function describeWorker(stand: Stand): void {
  const { engine } = stand

  test('the socket is for root alone, and goes with the worker', async () => {
    const socket = join(stand.home, 'run/engine.sock')
    expect(statSync(socket).mode & 0o777).toBe(0o600)
    await stand.host.stopWorker('SIGTERM')
    expect(existsSync(socket)).toBe(false)
    const away = await engine('ps')
    expect(away).toMatchObject({ code: 1, out: '' })
    expect(away.err).toMatch(/its worker does not run.*berth up/)
    await stand.host.startWorker()
    expect(await engine('ps', '-q')).toEqual({ code: 0, out: '', err: '' })
  })

  test('the worker does not take an operator’s container for one that nobody wants', async () => {
    await engine('run', '-d', '--name', 'keep', stand.image, 'sleep', '1000')
    await stand.host.stopWorker('SIGKILL')
    await stand.host.startWorker()
    expect((await engine('ps', '-q')).out).toBe('keep\n')
    expect(await engine('rm', '-f', 'keep')).toMatchObject({ code: 0 })
  })
}
