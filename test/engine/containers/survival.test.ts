/**
 * An engine is killed at random moments of its work, again and again, on one state. `SURVIVAL_ROUNDS=200 vitest run
 * test/engine/containers/survival.test.ts` is the long way; SURVIVAL_SEED repeats a run's moments.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createEngine, type EngineOptions } from '../../../engine/index.ts'
import { leftOnHost, readLines, startEngine } from '../../support/engine.ts'
import { pushImage } from '../../support/images.ts'
import { inOrder } from '../../support/in-order.ts'
import { randomFrom } from '../../support/random.ts'
import { until } from '../../support/until.ts'

const rounds = Number(process.env.SURVIVAL_ROUNDS ?? 12)
const seed = Number(process.env.SURVIVAL_SEED ?? Date.now() % 1_000_000)
const longestLifeMs = 700
const childFile = new URL('../../support/survival-child.ts', import.meta.url)

test(`an engine that is killed at ${rounds} random moments loses nothing and leaves nothing`, async () => {
  console.log(`SURVIVAL_SEED=${seed}`)
  const random = randomFrom(seed)
  const host = await startEngine()
  const registries = { [host.registry.host]: { url: `http://127.0.0.1:${host.registry.port}` } }
  const options: EngineOptions = { stateDir: host.stateDir, networkPool: '10.90.0.0/16', registries }
  const references: string[] = []
  for (const name of ['one:1', 'two:1'])
    references.push(
      (await pushImage(host.registry, name, { command: ['/bin/true'], files: { name: name.repeat(50_000) } }))
        .reference,
    )
  // It counts through it all, in small log files, so that putting them aside is hit as well.
  const count = 'i=0; while :; do i=$((i+1)); echo $i; test $((i % 50)) = 0 && sleep 0.01; done'
  const steady = host.spec({
    id: 'steady',
    limits: { memoryBytes: 64 * 2 ** 20, cpuMillis: 100, pids: 8 },
    log: { maxBytes: 256 * 1024, files: 1_000 },
    command: ['/bin/sh', '-c', count],
  })
  await host.engine.containers.create(steady)
  const { pid } = await host.engine.containers.start(steady.id)
  const wrongs: string[] = []
  let opened = 0

  async function survive(): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await host.engine.close()
      const spec = host.spec({ network: `net${round % 2}` })
      const argument = { options, spec, references, seed: seed + round, steady: steady.id }
      const child = fork(childFile, [JSON.stringify(argument)], { stdio: 'inherit' })
      const gone = once(child, 'exit')
      const open = new Promise<void>((resolve) => {
        child.on('message', (message: { open?: true; wrong?: string }) => {
          if (message.open) resolve()
          if (message.wrong) wrongs.push(`round ${round}: ${message.wrong}`)
        })
      })
      // One in five is killed while it opens its state, the others while they work.
      if (random() < 0.2) await sleep(150 + random() * 450)
      else if ((await Promise.race([open.then(() => true), gone.then(() => false)])) as boolean) {
        opened++
        await sleep(random() * longestLifeMs)
      }
      child.kill('SIGKILL')
      await gone
      host.engine = await createEngine(options)
      await checkHost(round)
    }
    const lines = await readLines(host.engine, steady.id)
    expect(lines.length).toBeGreaterThan(50)
    expect(lines.findIndex((line, index) => line !== String(index + 1))).toBe(-1)
    expect(opened).toBeGreaterThan(rounds / 2)
    expect(wrongs).toEqual([])
  }

  async function removeAll(): Promise<void> {
    for (const { id } of await host.engine.containers.list())
      await host.engine.containers.remove(id, { force: true })
    for (const { name } of await host.engine.volumes.list()) await host.engine.volumes.remove(name)
  }

  await inOrder(survive, removeAll)
  for (const folder of ['containers', 'snapshots', 'volumes', 'staging', 'trash', 'shifted'])
    if (existsSync(join(host.stateDir, folder)))
      expect(readdirSync(join(host.stateDir, folder)), folder).toEqual([])
  // Checks that nothing at all is left on the host.
  await host.close()

  async function checkHost(round: number): Promise<void> {
    const where = `round ${round}, SURVIVAL_SEED=${seed}`
    const all = await host.engine.containers.list()
    expect(
      all.find(({ id }) => id === steady.id),
      where,
    ).toMatchObject({ status: 'running', pid })
    for (const { id, status, exitCode } of all) {
      // Its own end, or by a signal; an end whose code nobody knows would be null.
      if (status === 'exited') expect([7, 137, 143], `${where}: ${id}`).toContain(exitCode)
    }
    const ids = all.map(({ id }) => id).sort()
    for (const folder of ['containers', 'snapshots'])
      expect(readdirSync(join(host.stateDir, folder)).sort(), `${where}: ${folder}`).toEqual(ids)
    // Short ones end while we look: what is theirs goes a moment later.
    await until(`${where}: the host has what runs, and nothing else`, async () => {
      const running = (await host.engine.containers.list()).filter(({ status }) =>
        /running|paused/.test(status),
      )
      const names = running.map(({ id }) => id)
      const isTheirs = (what: string) =>
        names.some(
          (id) =>
            what === id ||
            what.endsWith(`/${id}`) ||
            what.includes(`/${id}/`) ||
            what.includes(`--cid ${id} `),
        )
      const isNetwork = (what: string) => /dnsmasq|^names\/|^bth/.test(what)
      const left = leftOnHost(host.stateDir).filter((what) => !isTheirs(what) && !isNetwork(what))
      const links = left.filter((what) => what.startsWith('bv'))
      const rest = left.filter((what) => !what.startsWith('bv'))
      if (rest.length > 0 || links.length > names.length) throw new Error([...rest, ...links].join('\n'))
      return true
    })
  }
})
