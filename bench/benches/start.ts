/** Start of a container whose image is there, then its stop and its removal, each in turns. */
import type { Bench } from '../bench.ts'
import { imagePackages, peerPackages } from '../parts/packages.ts'
import { type MaybeRunner, openRunners, polite } from '../parts/runners.ts'
import { makeRow } from '../report.ts'
import { type Contestant, takeTurns } from '../turns.ts'

const budget = { atLeast: { docker: 5, podman: 2 } }

export const bench: Bench = {
  description: 'start a container, with network and limits, stop and remove it: Berth, Docker, podman',
  packages: [...imagePackages, ...peerPackages],
  async run(context) {
    const { berth, peers } = await openRunners(context)
    const all = [berth, ...peers]
    await berth.blocked?.()
    const started = await takeTurns(context, all.map(starting))
    const blocked = (await berth.blocked?.()) ?? 0
    const stopped = await takeTurns(context, all.map(stopping))
    const removed = await takeTurns(context, all.map(removing))
    const killed = await takeTurns(context, all.map(killing))
    const row = (what: string, samples: typeof started) => {
      const { berth: ours = [], ...theirs } = samples
      return { what, unit: 's', berth: ours, peers: theirs }
    }
    return [
      makeRow({ ...row('start a container (docker run -d, podman run -d)', started), budget }),
      makeRow(row('stop a container that ends when it is asked', stopped)),
      makeRow(row('remove a container that has ended', removed)),
      makeRow(row('kill and remove a running container', killed)),
      makeRow({
        what: "longest that the engine's event loop stood still while it started them",
        unit: 's',
        berth: [blocked],
      }),
    ]
  },
}

function starting(runner: MaybeRunner): Contestant {
  if ('absent' in runner) return runner
  let count = 0
  return {
    name: runner.name,
    prepare: async () => {},
    work: () => runner.start(`start-${++count}`),
    finish: async () => void (await runner.remove(`start-${count}`)),
  }
}

function stopping(runner: MaybeRunner): Contestant {
  if ('absent' in runner) return runner
  let count = 0
  return {
    name: runner.name,
    prepare: async () => void (await runner.start(`stop-${++count}`, polite)),
    work: () => runner.stop(`stop-${count}`),
    finish: async () => void (await runner.remove(`stop-${count}`)),
  }
}

function removing(runner: MaybeRunner): Contestant {
  if ('absent' in runner) return runner
  let count = 0
  return {
    name: runner.name,
    prepare: async () => {
      await runner.start(`gone-${++count}`, polite)
      await runner.stop(`gone-${count}`)
    },
    work: () => runner.remove(`gone-${count}`),
    finish: async () => {},
  }
}

function killing(runner: MaybeRunner): Contestant {
  if ('absent' in runner) return runner
  let count = 0
  return {
    name: runner.name,
    prepare: async () => void (await runner.start(`end-${++count}`)),
    work: () => runner.remove(`end-${count}`),
    finish: async () => {},
  }
}
