/** An engine in a process of its own, to be killed: it does whatever can be done with containers, two things at a time. */
import { type ContainerSpec, createEngine, type EngineOptions, isEngineError } from '../../engine/index.ts'
import { randomFrom } from './random.ts'

const { options, spec, references, seed, steady } = JSON.parse(process.argv[2] ?? '') as {
  options: EngineOptions
  spec: ContainerSpec
  references: string[]
  seed: number
  steady: string
}
const random = randomFrom(seed)
const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)]
/** What two workers and a half-done past make of each other's plans. */
const usual = new Set(['not-found', 'already-exists', 'failed-precondition'])

// Nobody is there to kill it any more.
process.on('disconnect', () => process.exit(1))
const engine = await createEngine(options)
process.send?.({ open: true })

async function anything(name: string): Promise<void> {
  const { containers, images, volumes } = engine
  const other = pick((await containers.list()).filter(({ id }) => id !== steady))
  const chance = random()
  if (!other || chance < 0.3) {
    await volumes.create({ name: 'vol', idRange: spec.idRange })
    const script = random() < 0.5 ? 'echo out; exit 7' : 'echo out; exec sleep 1000'
    const mounts = random() < 0.5 ? [{ kind: 'volume' as const, volume: 'vol', target: '/data' }] : []
    await containers.create({ ...spec, id: name, mounts, command: ['/bin/sh', '-c', script] })
    await containers.start(name)
  } else if (chance < 0.4) await containers.start(other.id)
  else if (chance < 0.5) await containers.stop(other.id, { graceMs: 20 })
  else if (chance < 0.55) await containers.restart(other.id, { graceMs: 0 })
  else if (chance < 0.6) await containers.pause(other.id)
  else if (chance < 0.65) await containers.resume(other.id)
  else if (chance < 0.7) await (await containers.exec(other.id, { command: ['/bin/sleep', '0.05'] })).exited
  else if (chance < 0.85) await containers.remove(other.id, { force: true })
  else {
    const reference = pick(references) ?? ''
    const { digest } = await images.pull(reference)
    if (random() < 0.5) await images.remove(digest, { force: true })
  }
}

async function work(lane: string): Promise<never> {
  for (let count = 0; ; count++)
    await anything(`w${seed % 1_000_000}-${lane}${count}`).catch((error) => {
      if (!isEngineError(error) || !usual.has(error.kind))
        process.send?.({ wrong: String(error?.stack ?? error) })
    })
}
await Promise.all([work('a'), work('b')])
