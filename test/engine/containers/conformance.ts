/** What every implementation of containers keeps to. A new one is a test file that passes an engine that has it. */

import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { ContainerEvent, LogLine } from '../../../engine/index.ts'
import { collect, outputOf, readLines, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

/** @param host called within tests; the engine is its caller's to close. */
export function conformsToContainers(host: () => Pick<TestEngine, 'engine' | 'spec' | 'pull'>): void {
  const containers = () => host().engine.containers
  const sh = (script: string) => ['/bin/sh', '-c', script]

  async function run(changes: Parameters<TestEngine['spec']>[0]) {
    const spec = host().spec(changes)
    await containers().create(spec)
    return containers().start(spec.id)
  }

  const counting = sh('trap "echo got HUP" HUP; i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done')
  const lines = async (id: string) => (await readLines(host().engine, id)).length

  describe('a life', () => {
    test('created, started, exited with its code, its output kept, removed: each told as an event', async () => {
      const stop = new AbortController()
      const events = containers().events({ signal: stop.signal })
      const spec = host().spec({
        command: sh('echo out; echo err >&2; printf "no newline"; exit 7'),
        labels: { app: 'a1' },
      })
      const created = await containers().create(spec)
      expect(created).toMatchObject({ status: 'created', pid: null, exitCode: null, labels: { app: 'a1' } })
      await expect(containers().create(spec)).rejects.toMatchObject({ kind: 'already-exists' })
      await containers().start(spec.id)
      expect((await outputOf(host().engine, spec.id)).sort()).toEqual(['err', 'no newline', 'out'])
      const ended = await containers().inspect(spec.id)
      expect(ended).toMatchObject({ status: 'exited', exitCode: 7, oomKilled: false, pid: null })
      expect([ended]).toMatchObject(await containers().list({ labels: { app: 'a1' } }))
      expect(await containers().list({ labels: { app: 'a2' } })).toEqual([])
      await containers().remove(spec.id)
      await containers().remove(spec.id)
      await expect(containers().inspect(spec.id)).rejects.toMatchObject({ kind: 'not-found' })
      stop.abort()
      const told: ContainerEvent[] = await collect(events)
      const ours = told.filter(({ container }) => container.id === spec.id).map(({ type }) => type)
      expect(ours).toEqual(['created', 'started', 'exited', 'removed'])
    })

    test('it may be started again: the writable layer, the address and the old log are still there', async () => {
      const first = await run({
        command: sh('test -e /tmp/mark && echo again || echo first; touch /tmp/mark'),
      })
      expect(await outputOf(host().engine, first.id)).toEqual(['first'])
      const second = await containers().start(first.id)
      expect(second.address).toBe(first.address)
      expect(await outputOf(host().engine, first.id)).toEqual(['first', 'again'])
    })

    test('a command that is not there is an error of start, and leaves nothing running', async () => {
      const spec = host().spec({ command: ['/no/such/program'] })
      await containers().create(spec)
      await expect(containers().start(spec.id)).rejects.toThrow(/no such/i)
      expect(await containers().inspect(spec.id)).toMatchObject({ status: 'created', pid: null })
    })

    test('stop asks first; who does not listen is killed after the grace', async () => {
      const polite = await run({
        command: sh('trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.1; done'),
      })
      await until('ready', async () => (await readLines(host().engine, polite.id)).includes('ready'))
      expect(await containers().stop(polite.id, { graceMs: 60_000 })).toMatchObject({ exitCode: 0 })
      expect(await readLines(host().engine, polite.id)).toEqual(['ready', 'bye'])
      const deaf = await run({ command: sh('trap "" TERM; while :; do sleep 0.1; done') })
      const stopped = await containers().stop(deaf.id, { graceMs: 300 })
      expect(stopped).toMatchObject({ status: 'exited', exitCode: 137, oomKilled: false })
      expect(await containers().stop(deaf.id)).toEqual(stopped)
      await containers().remove(deaf.id)
    })

    test('whoever removes what others remove at the same time finds it gone, as wished', async () => {
      const { id } = await run({ command: sh('while :; do sleep 0.1; done') })
      const remove = () => containers().remove(id, { force: true })
      let isGone = false
      const all = [
        remove().finally(() => {
          isGone = true
        }),
      ]
      // At whatever point of its removal.
      for (; !isGone; await sleep(1)) all.push(remove())
      await Promise.all(all)
      await expect(containers().inspect(id)).rejects.toMatchObject({ kind: 'not-found' })
    })

    test('on-failure restarts with counting, keeps the address, and a stop ends it', async () => {
      const spec = { restart: 'on-failure' as const, command: sh('echo up; exit 1') }
      const started = await run(spec)
      await until('three runs', async () => (await readLines(host().engine, started.id)).length >= 3)
      const stopped = await containers().stop(started.id, { graceMs: 0 })
      expect(stopped).toMatchObject({ status: 'exited', address: started.address })
      expect(stopped.restarts).toBeGreaterThanOrEqual(2)
      const done = await run({ restart: 'on-failure', command: sh('exit 0') })
      expect(await containers().wait(done.id)).toMatchObject({ exitCode: 0, restarts: 0 })
      await containers().remove(started.id)
      // Longer than it would wait for its own start.
      const later = await run(spec)
      await until('another started twice', async () => (await readLines(host().engine, later.id)).length >= 3)
      expect(await containers().inspect(done.id)).toMatchObject({ status: 'exited', restarts: 0 })
      for (const { id } of [done, later]) await containers().remove(id, { force: true })
    })
  })

  describe('logs', () => {
    test('tail, a cursor and following agree on the lines, in order, none lost', async () => {
      const { id } = await run({ command: sh('seq 1 20000; while test ! -e /tmp/go; do sleep 0.1; done') })
      const all = await until('all lines', async () => {
        const lines = await collect(containers().logs(id))
        return lines.length === 20_000 && lines
      })
      expect(all.map(({ text }) => text)).toEqual(
        Array.from({ length: 20_000 }, (_, index) => String(index + 1)),
      )
      const tail = await collect(containers().logs(id, { tail: 3 }))
      expect(tail).toEqual(all.slice(-3))
      const after = await collect(containers().logs(id, { after: all[19_989]?.cursor ?? '' }))
      expect(after).toEqual(all.slice(19_990))
      const stop = new AbortController()
      const followed: LogLine[] = []
      const following = (async () => {
        for await (const line of containers().logs(id, {
          follow: true,
          tail: 1,
          signal: stop.signal,
        }))
          followed.push(line)
      })()
      await containers().stop(id, { graceMs: 0 })
      await containers().start(id)
      await until('the second run’s lines', () => followed.length === 20_001)
      expect(followed.slice(-1)[0]?.text).toBe('20000')
      await containers().remove(id, { force: true })
      await following
    })

    test('listening ports are seen, those of loopback are not', async () => {
      const { id } = await run({ command: sh('nc -l -p 81 -s 127.0.0.1 & httpd -p 80 -h /tmp; sleep 1000') })
      await until('port 80', async () => (await containers().listeningPorts(id)).includes(80))
      expect(await containers().listeningPorts(id)).toEqual([80])
      await containers().remove(id, { force: true })
    })
  })

  describe('signals', () => {
    test('kill delivers any signal, and SIGKILL ends it for good whatever its restart policy', async () => {
      const { id } = await run({ command: counting, restart: 'always' })
      await until('it counts', async () => (await lines(id)) > 2)
      expect(await containers().kill(id, { killSignal: 'HUP' })).toMatchObject({ status: 'running' })
      await until('it heard', async () => (await readLines(host().engine, id)).includes('got HUP'))
      expect(await containers().kill(id)).toMatchObject({ status: 'exited', exitCode: 137, restarts: 0 })
      await expect(containers().kill(id)).rejects.toMatchObject({
        kind: 'failed-precondition',
        message: expect.stringContaining('it is exited'),
      })
      await expect(containers().kill(id, { killSignal: 'SIGFOO' })).rejects.toMatchObject({ kind: 'invalid' })
    })

    test('restart makes a new run on the same address, and starts one that has ended', async () => {
      const first = await run({})
      const second = await containers().restart(first.id, { graceMs: 0 })
      expect(second).toMatchObject({ status: 'running', address: first.address, restarts: 0 })
      expect(second.pid).not.toBe(first.pid)
      await containers().stop(first.id, { graceMs: 0 })
      expect(await containers().restart(first.id, { graceMs: 0 })).toMatchObject({ status: 'running' })
      await containers().remove(first.id, { force: true })
    })

    test('who removes whatever ends leaves one alone that is being restarted, and not its end for good', async () => {
      const { id } = await run({})
      const over = new AbortController()
      const refusals: string[] = []
      const removing = (async () => {
        for await (const event of containers().events({ signal: over.signal }))
          if (event.container.id === id && event.type === 'exited')
            await containers()
              .remove(id)
              .catch(({ kind }) => refusals.push(kind))
      })()
      for (let count = 0; count < 3; count++)
        expect(await containers().restart(id, { graceMs: 0 })).toMatchObject({ status: 'running' })
      await until('three refusals', () => refusals.length === 3)
      expect(new Set(refusals)).toEqual(new Set(['failed-precondition']))
      await containers().stop(id, { graceMs: 0 })
      const isGone = () =>
        containers()
          .inspect(id)
          .then(
            () => false,
            (error) => error.kind === 'not-found',
          )
      await until('it is removed', isGone)
      over.abort()
      await removing
    })
  })

  describe('held still', () => {
    test('a paused container does nothing until it is resumed', async () => {
      const { id } = await run({ command: counting })
      await until('it counts', async () => (await lines(id)) > 2)
      expect(await containers().pause(id)).toMatchObject({ status: 'paused' })
      expect(await containers().pause(id)).toMatchObject({ status: 'paused' })
      const before = await lines(id)
      const other = await run({ command: sh('sleep 0.2') })
      await containers().wait(other.id)
      await containers().remove(other.id)
      expect(await lines(id)).toBe(before)
      expect(await containers().resume(id)).toMatchObject({ status: 'running' })
      expect(await containers().resume(id)).toMatchObject({ status: 'running' })
      await until('it goes on', async () => (await lines(id)) > before)
      await containers().pause(id)
      expect(await containers().stop(id, { graceMs: 50 })).toMatchObject({ status: 'exited' })
      await expect(containers().pause(id)).rejects.toMatchObject({ kind: 'failed-precondition' })
      await expect(containers().resume(id)).rejects.toMatchObject({ kind: 'failed-precondition' })
    })

    test('it can be removed by force while it is held still', async () => {
      const { id } = await run({})
      await containers().pause(id)
      await containers().remove(id, { force: true })
      await expect(containers().inspect(id)).rejects.toMatchObject({ kind: 'not-found' })
    })
  })

  describe('names', () => {
    test('a renamed container answers to both, and nobody else can take either', async () => {
      const spec = host().spec()
      await containers().create(spec)
      expect(await containers().rename(spec.id, 'shop')).toMatchObject({ id: spec.id, name: 'shop' })
      expect(await containers().inspect('shop')).toMatchObject({ id: spec.id })
      const other = host().spec()
      await containers().create(other)
      await expect(containers().rename(other.id, 'shop')).rejects.toMatchObject({ kind: 'already-exists' })
      await expect(containers().rename(other.id, spec.id)).rejects.toMatchObject({ kind: 'already-exists' })
      await expect(containers().create(host().spec({ id: 'shop' }))).rejects.toMatchObject({
        kind: 'already-exists',
      })
      await expect(containers().rename(other.id, '../x')).rejects.toMatchObject({ kind: 'invalid' })
      await containers().rename('shop', spec.id)
      await containers().rename(other.id, 'shop')
      await containers().remove('shop')
      await containers().remove(spec.id)
    })
  })

  describe('limits', () => {
    const limits = { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 64, cpuWeight: 200 }

    test('memory below what is in use is refused, and nothing has changed', async () => {
      const hog = sh('dd if=/dev/zero of=/dev/shm/x bs=1M count=40; echo full; sleep 1000')
      const { id } = await run({ limits, command: hog })
      await until('it is full', async () => (await readLines(host().engine, id)).includes('full'))
      await expect(
        containers().update(id, { limits: { memoryBytes: 16 * 2 ** 20, pids: 5 } }),
      ).rejects.toMatchObject({ kind: 'failed-precondition' })
      expect(await containers().inspect(id)).toMatchObject({ status: 'running', spec: { limits } })
      await expect(containers().update(id, { limits: { pids: 0 } })).rejects.toMatchObject({
        kind: 'invalid',
      })
      await containers().remove(id, { force: true })
    })

    test('what confuses the runtime is refused before anything is made', async () => {
      const bad = [
        { id: '../x' },
        { id: 'A' },
        { aliases: ['a b'] },
        { environment: { 'A=B': 'c' } },
        { idRange: { base: 0, size: 65_536 } },
        { idRange: { base: -1, size: 65_536 } },
        { idRange: { base: 1.5, size: 65_536 } },
        { idRange: { base: 100_000, size: 0 } },
        // The last id of all is nobody's: it says "leave as it is".
        { idRange: { base: 2 ** 32 - 65_536, size: 65_536 } },
        { stopSignal: 'SIGNOTHING' },
        { limits: { memoryBytes: 64 * 2 ** 20, cpuMillis: 0, pids: 1 } },
      ]
      for (const changes of bad)
        await expect(
          containers().create(host().spec(changes)),
          JSON.stringify(changes),
        ).rejects.toMatchObject({ kind: 'invalid' })
    })
  })

  describe('what it uses', () => {
    test('stats count processor, memory, processes and traffic', async () => {
      const { id, address } = await run({
        command: sh('httpd -p 80 -h /bin; dd if=/dev/zero of=/dev/shm/x bs=1M count=20; while :; do :; done'),
      })
      await until('it serves and burns', async () => {
        await fetch(`http://${address}/busybox`).then((response) => response.arrayBuffer())
        const { cpuNs, cpuThrottledNs } = await containers().stats(id)
        // It is allowed half a processor and wants a whole one.
        return cpuNs > 50_000_000 && cpuThrottledNs > 0
      })
      const stats = await containers().stats(id)
      expect(stats).toMatchObject({ limits: { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 64 } })
      expect(stats.memoryBytes).toBeGreaterThan(20 * 2 ** 20)
      expect(stats.memoryBytes).toBeLessThan(64 * 2 ** 20)
      expect(stats.pids).toBeGreaterThanOrEqual(2)
      expect(stats.sentBytes).toBeGreaterThan(statSync('/bin/busybox').size)
      expect(stats.receivedPackets).toBeGreaterThan(2)
      const rising: number[] = []
      for await (const { cpuNs } of containers().watchStats(id, { everyMs: 50 })) {
        rising.push(cpuNs)
        if (rising.length === 3) await containers().kill(id)
      }
      expect(rising).toEqual([...rising].sort((a, b) => a - b))
      await expect(containers().stats(id)).rejects.toMatchObject({ kind: 'failed-precondition' })
    })

    test('top shows the processes as the container numbers them', async () => {
      const image = await host().pull('top:1', { user: 'app', command: sh('sleep 999 & sleep 1000') })
      const { id, pid } = await run({ image })
      const found = await until('both', async () => {
        const all = await containers().top(id)
        return all.filter(({ command }) => command[0] === 'sleep').length === 2 && all
      })
      expect(found[0]).toMatchObject({ pid: 1, hostPid: pid, uid: 1000, state: 'S' })
      expect(found.map(({ command }) => command.join(' '))).toContain('sleep 999')
      await containers().remove(id, { force: true })
      await expect(containers().top(id)).rejects.toMatchObject({ kind: 'not-found' })
    })
  })

  test('inspect says all of it but the values of its environment', async () => {
    const spec = host().spec({ environment: { PASSWORD: 'hush' }, aliases: ['web'], stopGraceMs: 5 })
    await containers().create(spec)
    const { environment: _, ...rest } = spec
    const found = await containers().inspect(spec.id)
    expect(found.spec).toEqual({ ...rest, environmentNames: ['PASSWORD'], fileTargets: [] })
    expect(JSON.stringify(found)).not.toContain('hush')
    await containers().remove(spec.id)
  })
}
