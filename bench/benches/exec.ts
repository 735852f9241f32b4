/** One more process in a container that runs, to its end, in turns. */
import type { Bench } from '../bench.ts'
import { imagePackages, peerPackages } from '../parts/packages.ts'
import { openRunners } from '../parts/runners.ts'
import { makeRow } from '../report.ts'
import { type Contestant, takeTurns } from '../turns.ts'

export const bench: Bench = {
  description: 'run /bin/true in a container that runs: Berth, Docker, podman',
  packages: [...imagePackages, ...peerPackages],
  async run(context) {
    const { berth, peers } = await openRunners(context)
    const contestants: Contestant[] = []
    for (const runner of [berth, ...peers]) {
      if ('start' in runner) await runner.start('host')
      contestants.push(
        'absent' in runner
          ? runner
          : {
              name: runner.name,
              prepare: async () => {},
              work: () => runner.exec('host'),
              finish: async () => {},
            },
      )
    }
    const { berth: ours = [], ...theirs } = await takeTurns(context, contestants)
    for (const runner of [berth, ...peers]) if ('remove' in runner) await runner.remove('host')
    return [makeRow({ what: 'exec /bin/true, to its end', unit: 's', berth: ours, peers: theirs })]
  },
}
